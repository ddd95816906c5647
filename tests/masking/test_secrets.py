"""Secrets where tools say them: in configuration, commands, headers and addresses, each masked whole and no more."""

import json

import pytest

from holdfast.jsontext import JsonObject
from holdfast.masking.masker import Masker

TEXTS = [
    ("DB_PASSWORD=Ex4mple!\nPORT=5432", "DB_PASSWORD=<PASSWORD>\nPORT=5432"),
    ("user=x&password=Ex4mple&phone=1", "user=x&password=<PASSWORD>&phone=1"),
    ("Server=db;User Id=sa;Password=Ex4mple!;Encrypt=true", "Server=db;User Id=sa;Password=<PASSWORD>;Encrypt=true"),
    ("postgresql://app:Ex4mple1@db.example.com:5432/crm", "postgresql://app:<PASSWORD>@db.example.com:5432/crm"),
    ("redis://:p@ss/word@cache:6379/0", "redis://:<PASSWORD>@cache:6379/0"),
    ('passphrase = "correct horse battery"', 'passphrase = "<PASSWORD>"'),
    ("curl -u deploy:Ex4mple https://example.com", "curl -u deploy:<PASSWORD> https://example.com"),
    ("GET /a?token=exampleexample&n=1 HTTP/1.1", "GET /a?token=<API_KEY>&n=1 HTTP/1.1"),
    ("Cookie: lang=en; sessionid=EXAMPLE0EXAMPLE0", "Cookie: lang=en; sessionid=<API_KEY>"),
    ("le mot de passe du NAS est Ex3mple.", "le mot de passe du NAS est <PASSWORD>."),
    ("het wachtwoord van bob is Vrb33ld!", "het wachtwoord van bob is <PASSWORD>"),
    ("Palavra-passe: exemplo\nUtilizador: bob", "Palavra-passe: <PASSWORD>\nUtilizador: bob"),
    ("My pw? It used to be Ex4mple, I think", "My pw? It used to be <PASSWORD>, I think"),
    ("GPG passphrase (for key 0xA1): able about above\nok", "GPG passphrase (for key 0xA1): <PASSWORD>\nok"),
    ("echo Ex4mple | docker login -u ci --password-stdin", "echo <PASSWORD> | docker login -u ci --password-stdin"),
    ("mongo -u ops -p Ex4mple --quiet", "mongo -u ops -p <PASSWORD> --quiet"),
    ("keytool -storepass Ex4mple -keypass Ex5mple", "keytool -storepass <PASSWORD> -keypass <PASSWORD>"),
    ("net use Z: \\\\nas\\x /user:bob Ex4mple", "net use Z: \\\\nas\\x /user:bob <PASSWORD>"),
    ("config\n  set psksecret Ex4mple\nnext", "config\n  set psksecret <PASSWORD>\nnext"),
    ("bob changed password from Ex4mple to Ex5mple", "bob changed password from <PASSWORD> to <PASSWORD>"),
    ("Use code 771203 to log in", "Use code <PASSWORD> to log in"),
    ("s.login('bob', 'Ex4mple')", "s.login('bob', '<PASSWORD>')"),
    ('new mysqli("db", "app", "Ex4mple", "crm")', 'new mysqli("db", "app", "<PASSWORD>", "crm")'),
    ("SECRET_KEY = 'example-in(9)x&2m!b#(k7'", "SECRET_KEY = '<API_KEY>'"),
    ("- **API key:** `1d0f914b41dcd069943b852d90ca3207`", "- **API key:** `<API_KEY>`"),
    ("data:\n  password: RXg0bXBsZQ==\n", "data:\n  password: <PASSWORD>\n"),
    ('variable "db_password" { default = "Ex4mple" }', 'variable "db_password" { default = "<PASSWORD>" }'),
    ("curl -su app:example https://x.example", "curl -su app:<PASSWORD> https://x.example"),
    ("mariadb-dump -uroot -pexample crm", "mariadb-dump -uroot -p<PASSWORD> crm"),
    ("mongodump -u ops -p example -o x", "mongodump -u ops -p <PASSWORD> -o x"),
    ("rabbitmqctl add_user bob example", "rabbitmqctl add_user bob <PASSWORD>"),
    ("net use \\\\nas\\x example /user:bob", "net use \\\\nas\\x <PASSWORD> /user:bob"),
    ("openssl passwd -6 example", "openssl passwd -6 <PASSWORD>"),
    ('gpg --passphrase "able about above" -d f', 'gpg --passphrase "<PASSWORD>" -d f'),
    ('expect "assword:"\nsend "example\\r"', 'expect "assword:"\nsend "<PASSWORD>\\r"'),
    ('a001 LOGIN "bob@x" "able about"', 'a001 LOGIN "bob@x" "<PASSWORD>"'),
    ("$ vault kv get -field=password kv/x\nEx4mple0\n$ ls", "$ vault kv get -field=password kv/x\n<PASSWORD>\n$ ls"),
    ("UPDATE u SET password = crypt('example', x)", "UPDATE u SET password = crypt('<PASSWORD>', x)"),
    ("Server=db;UID=app;PWD={Ex4m&ple};Encrypt=no", "Server=db;UID=app;PWD={<PASSWORD>};Encrypt=no"),
    ('RequestHeader set X-A-Token "exampleexample"', 'RequestHeader set X-A-Token "<API_KEY>"'),
    ("the wifi password is correct horse.", "the wifi password is <PASSWORD>."),
    ("I set the password to exampleword for now", "I set the password to <PASSWORD> for now"),
    ("la contraseña del correo es ejemplos", "la contraseña del correo es <PASSWORD>"),
    ("mot de passe de la boîte : Exemple2!", "mot de passe de la boîte : <PASSWORD>"),
    ("<p>Your password is <b>exampleword</b></p>", "<p>Your password is <b><PASSWORD></b></p>"),
    ("**Password:** exampleword", "**Password:** <PASSWORD>"),
    ("creds for the box -> bob:example", "creds for the box -> bob:<PASSWORD>"),
    ("reachable again, root / 4ex%ample works", "reachable again, root / <PASSWORD> works"),
    ("yes its example44, wifi password i mean", "yes its <PASSWORD>, wifi password i mean"),
    ("INSERT INTO u VALUES (1, N'Ex4m!ple')", "INSERT INTO u VALUES (1, N'<PASSWORD>')"),
    ("UPDATE u SET password = N'example'", "UPDATE u SET password = N'<PASSWORD>'"),
    ("/x/password\tSecureString\tEx4mple\t4", "/x/password\tSecureString\t<PASSWORD>\t4"),
    ('AES_KEY_B64 = "k8s7d6f5g4h3j2k1l0"', 'AES_KEY_B64 = "<API_KEY>"'),
    ("Das WLAN-Passwort im Büro lautet Beispiel44!", "Das WLAN-Passwort im Büro lautet <PASSWORD>"),
    ("das VPN-Kennwort von bob ist Beispiel44", "das VPN-Kennwort von bob ist <PASSWORD>"),
    ("Hasło do panelu: Ex4mple", "Hasło do panelu: <PASSWORD>"),
    ("Heslo k wifi: Ex4mple", "Heslo k wifi: <PASSWORD>"),
    ("Пароль от почты: Ex4mple", "Пароль от почты: <PASSWORD>"),
    ('["valkey-server", "--requirepass", "Ex4mple"]', '["valkey-server", "--requirepass", "<PASSWORD>"]'),
    ("command:\n  - --db-password\n  - Ex4mple\n", "command:\n  - --db-password\n  - <PASSWORD>\n"),
    ('CMD ["agent", "--token", "exampleexample"]', 'CMD ["agent", "--token", "<API_KEY>"]'),
    ("Recovery Key 2: " + "EXAMPLE0" * 5 + "EXA=", "Recovery Key 2: <API_KEY>"),
    ("kubeadm_token: exampl.00ff00ff00ff00ff", "kubeadm_token: <API_KEY>"),
    ('JWTSecret: []byte("k8s7d6f5g4h3j2k1l0"),', 'JWTSecret: []byte("<API_KEY>"),'),
    ("x.io\tFALSE\t/\tTRUE\t9\tauth_tkt\tEXAMPLE0EX", "x.io\tFALSE\t/\tTRUE\t9\tauth_tkt\t<API_KEY>"),
    ("curl --cookie 'a=b; JSESSIONID=EXAMPLE0EX' x", "curl --cookie 'a=b; JSESSIONID=<API_KEY>' x"),
    ('dsn = "app:Ex4m/ple@tcp(db:3306)/crm"', 'dsn = "app:<PASSWORD>@tcp(db:3306)/crm"'),
    ("DSN=app:Ex4mple@unix(/run/my.sock)/crm", "DSN=app:<PASSWORD>@unix(/run/my.sock)/crm"),
    (f"ann:1001:{'00ff' * 8}:{'0f' * 16}:::", "ann:1001:<PASSWORD>:::"),
    ("  stats auth ops:example", "  stats auth ops:<PASSWORD>"),
    ("always-auth=true\n_auth=ZXhhbXBsZTpleGFtcGxl", "always-auth=true\n_auth=<PASSWORD>"),
    ("the ssh passphrase `zebra-able-about`, then", "the ssh passphrase `<PASSWORD>`, then"),
    ("the vault pass was `Ex4mple`", "the vault pass was `<PASSWORD>`"),
    ("[I] find: password\n[I] sendKeys -> 'example'", "[I] find: password\n[I] sendKeys -> '<PASSWORD>'"),
    ("**Basic auth**: staging / example44", "**Basic auth**: staging / <PASSWORD>"),
]  # fmt: skip
CODE = [
    "password = getpass.getpass()",
    "The password is correct now. The password is wrong. Your password is about to expire. password is None",
    "Das Passwort ist falsch. Le mot de passe est obligatoire. La contraseña es incorrecta. A senha é inválida.",
    "<p>Password: <em>required</em></p><label>Password</label> <a>Forgot?</a>",
    "root / home / var are partitions, admin / user are roles; password hint: animals",
    "Accounts:\nassets: current\nliabilities: long-term",
    "credentials:\n  username: bob\n  host: db1.internal",
    "The credentials are kept in the vault\nsee: https://vault.example.com\nask: Bob",
    "private String password;\nprivate final Widget widget;\npublic void setSsn(String ssn) { this.ssn = ssn; }",
    "db_password: SecretStr\napi_token: SecretString | None = None\npassword: PasswordInput;",
    "JWT_SECRET=\nSENTRY_DSN=\nDB_PASSWORD=\nAPI_KEY=\nPORT=80",
    "cat: /run/secrets/db_password: Permission denied",
    "mutation($p: String!) { login(password:$p) { token } }",
    "cache_key: 5f4dcc3b5aa765d61d8327deb882cf99",
    "arn:aws:secretsmanager:eu-west-1:000000000000:secret:prod/billing-svc-503e5cc",
    "def login(user: str, password: str = None) -> None:",
    "client = Client(api_key=os.environ['API_KEY'], token=self.token)",
    "const apiKey = process.env.API_KEY;",
    "password: {{ vault_password }}",
    "api_key: ${API_KEY}",
    "The password is required and must be changed.",
    "for page_token in pages: next_token = page.next_token",
    "HOME=/srv/ada\nPWD=/srv/ada/x\nOLDPWD=/srv/ada",
    "Access denied for user 'app'@'db' (using password: YES)",
    "password (str): The password of the user, or None.",
    "smtp.login(user, password)",
    "docker run -u app -p 8080:80/tcp -p 53:53/udp image",
    "ssh -l bob -p 2222 host; ssh-keygen -N '' -f key",
    "set password policy; use code 404 to signal that",
    "primary_key=True, foreign_key='user.id'",
    "git clone git@github.com:example/compass.git",
    '["--password", "--user", "--token", "--verbose"]',
    "args:\n  - --password\n  - --token\n",
    "Unseal Key 1: (hidden)\nUnseal Progress: 1/3",
    "curl --cookie jar.txt --cookie-jar session.txt",
    "all tests pass is `true`; hasło do panelu: zmienione",
    "app:${DB_PW}@tcp(db:3306)/crm",
    'labels = {"password": "Password", "new_password": "New password"}\nerrors.password = "Password too short"',
    "messages: { password: 'Please enter a password' }",
    'public static final String PASSWORD = "password";\nString PROP_PASSWORD = "db.password";',
    'String HEADER_API_KEY = "X-API-Key";\nif x == "password": pass',
]


@pytest.mark.parametrize(("text", "expected"), TEXTS, ids=[text[:24] for text, _ in TEXTS])
def test_a_secret_is_masked_whole_and_nothing_beside_it(masker: Masker, text: str, expected: str) -> None:
    assert masker.keep_text(text) == expected
    assert masker.keep_text(expected) == expected


@pytest.mark.parametrize("text", CODE)
def test_code_that_handles_secrets_holds_none(masker: Masker, text: str) -> None:
    assert masker.keep_text(text) == text


@pytest.mark.parametrize("tag", ["!!str", "!!binary", "!vault", "!unsafe"])
@pytest.mark.parametrize("mark", ["", '"', "'"])
def test_a_tag_before_a_password_does_not_take_its_mask(masker: Masker, tag: str, mark: str) -> None:
    for text in (
        f"password: {tag} {mark}hunter2xQ9{mark}",
        f"db:\n  password: {tag} {mark}hunter2xQ9{mark}\n  user: x",
    ):
        assert "hunter2" not in masker.keep_text(text)


def test_the_secret_numbers_of_a_key_in_json_are_masked(masker: Masker) -> None:
    number = "AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
    key: JsonObject = {"kty": "EC", "crv": "P-256", "x": number, "d": number}
    masked = {"kty": "EC", "crv": "P-256", "x": number, "d": "<API_KEY>"}
    assert masker.keep_json({"keys": [key]}) == {"keys": [masked]}
    assert json.loads(masker.keep_text(json.dumps(key))) == masked
    assert masker.keep_json({"kty": "oct", "k": number}) == {"kty": "oct", "k": "<API_KEY>"}
    assert masker.keep_json({"d": number, "k": number}) == {"d": number, "k": number}
