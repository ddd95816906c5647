"""Values of programs: behind a type, in a call, or by default; and the same where a program only tells names."""

import itertools

import pytest

from holdfast.errors import MaskingError
from holdfast.masking.budget import IN_PLACE, Budget
from holdfast.masking.masker import Masker
from holdfast.masking.named.declared import cells_of_code

PASSWORDS = [
    "password: string = '{}';",
    'private readonly dbPassword: string = "{}";',
    'val password: String = "{}"',
    'let password: String? = "{}"',
    'let pw: &str = "{}";',
    "static PASSWORD: &'static str = \"{}\";",
    'let password = String::from("{}");',
    'std::string password{{"{}"}};',
    'std::string password("{}");',
    'char wifi_password[64] = "{}";',
    'QString dbPassword = QStringLiteral("{}");',
    'const password string = "{}"',
    'var password []byte = []byte("{}")',
    'PASSWORD: Final[str] = "{}"',
    "password: str | None = '{}'",
    'password = SecretStr("{}")',
    'Dim password As String = "{}"',
    "DECLARE @password NVARCHAR(50) = N'{}';",
    "v_password VARCHAR2(30) := '{}';",
    'public string Password {{ get; set; }} = "{}";',
    '#define PASSWORD "{}"',
    'password: str = Field(default="{}", description="x")',
    'basic_auth("bob", Some("{}"))',
    'keychain.set("{}", forKey: "password")',
    '(def password "{}")',
    '{{:user "bob" :password "{}" :x 1}}',
    "set :password, '{}'",
    '-PASSWORD: str = "{}"\n+x = 1',
    "android {{\n  storePassword '{}'\n}}",
    'client.withPassword("{}")',
    'password = os.getenv("DB_PASSWORD") or "{}"',
    "const pw = process.env.DB_PASSWORD || '{}';",
    'ENV.fetch("DB_PASSWORD", "{}")',
    'ENV.fetch("DB_PASSWORD") {{ "{}" }}',
    'env("DB_PASSWORD", default="{}")',
    "\"{{{{ db_password | default('{}') }}}}\"",
    'requests.get(u, auth=("bob", "{}"))',
    "auth=HTTPBasicAuth('bob', '{}')",
    'req.SetBasicAuth("bob", "{}")',
    '.basicAuth("bob", "{}")',
    'new NetworkCredential("bob", "{}")',
    "define(\n  'DB_PASSWORD',\n  '{}');",
]  # fmt: skip
KEYS = [
    'val apiKey: String = "{}"',
    'let token: &str = "{}";',
    'token = "{}"',
    '$token = "{}";',
    'if (token === "{}") {{',
    'if (token != "{}") {{',
    'apiKey.equals("{}")',
    'api_token <- "{}"',
    '@api_key "{}"',
    'Dim token As String: token = "{}"',
    "export TOKEN=${{TOKEN:-{}}}",
    '  + master_token         = "{}"',
    'const clientSecret = "{}"',
    '#define API_KEY "{}"',
    "client.withToken('{}')",
    '.apiKey("{}")',
    'os.getenv("API_TOKEN", "{}")',
    'key = process.env["API_KEY"] ?? "{}";',
]
NAMES = [
    "password: string;\ntoken?: string;\npassword: string = '';",
    "export const ACCESS_TOKEN: string = 'accessToken2';\nconst PASSWORD: string = 'reset-password';"[46:],
    "const PASSWORD_FIELD: string = 'user_password';\nRESET_PASSWORD: string = 'auth/reset';",
    'public static final String PROP_TOKEN = "db.token";\nstatic TOKEN: &str = "token";',
    '#define ERR_PASSWORD "invalid password"\n#define TOKEN_PREFIX "Bearer "',
    'password = input("Password: ")\npassword = get_password("db1")\ntoken = fetch_token("https://x.example/v2")',
    'expectToken("identifier1"); parser.token("i32"); findByToken("abc12345"); deleteToken("id123456");',
    'password: str = Field("x1", description="y")\ntoken: TokenType = "bearer2token"',
    'requests.get(u, auth=("user", "pass"))\nHTTPBasicAuth("username", "password")',
    'password: str = "${DB_PASSWORD}"\nval password: String = "{{ pw1 }}"\nPASSWORD: str = "<pw1>"',
    'if password == "" or token == "if" or token.equals("word"): pass',
    'eos_token = "</s>"\npad_token: str = "[PAD0]"\nHEX_PAT = "[0-9A-Fa-f]{1,4}"',
    'const char *token = strtok(line, ",");\nchar password[64] = {0};',
    "password=${DB_PASSWORD:-}",
    'const SHA256_PASSWORD: &str = "sha256-password";\nerrors.add :password, "is too short"',
    'val token: String = prefs.getString("token", "")',
]


@pytest.mark.parametrize("text", PASSWORDS)
def test_the_password_of_a_program_is_masked_whatever_type_or_call_stands_before_it(masker: Masker, text: str) -> None:
    for value in ("velvet-hammer", "velvethammer", "Velvet7hammer"):
        assert masker.keep_text(text.format(value)) == text.format("<PASSWORD>")


@pytest.mark.parametrize("text", KEYS)
def test_a_key_of_a_program_is_masked_where_it_has_a_digit(masker: Masker, text: str) -> None:
    assert masker.keep_text(text.format("zq-771-mmlo-12")) == text.format("<API_KEY>")


def test_other_values_of_programs_are_masked_by_their_name_too(masker: Masker) -> None:
    assert masker.keep_text('val ssn: String = "234456789"') == 'val ssn: String = "<US_SSN>"'


@pytest.mark.parametrize("text", NAMES)
def test_what_a_program_calls_its_secrets_is_none(masker: Masker, text: str) -> None:
    assert masker.keep_text(text) == text


def test_a_long_line_is_read_around_its_values_alone(masker: Masker) -> None:
    filler = "x = f(a, b); " * 400
    text = filler + 'let pw: &str = "{}";' + filler + 'let token: &str = "{}";' + filler
    masked = masker.keep_json(text.format("velvethammer", "zq-771-mmlo-12"))
    assert masked == text.format("<PASSWORD>", "<API_KEY>")


def test_reading_a_long_program_is_stopped_when_the_time_is_up() -> None:
    text = 'a = f("1")\n' * 4000
    looks = itertools.count()
    with pytest.raises(MaskingError):
        list(cells_of_code(text, lambda _: True, Budget(lambda: next(looks) * 0.001, IN_PLACE).spend))
    assert list(cells_of_code(text, lambda _: True, Budget().spend)) == []
