"""What tools say about nobody: it stays as it stands."""

import pytest

from holdfast.jsontext import Json
from holdfast.masking.masker import Masker

HEX = "67f6c5ca0bed353cbf710b1b"

TEXTS = [
    "nvidia driver R503 installed, CUDA Version: 12.4",
    "part 961-44-211, order 000-12-3456, SKU 123-4567, PO 1234567890",
    "build 2541388984, run #90123456789, job 12345678901, ISBN 978-0-306-40615-7, ISBN-10 0-800-16406-1",
    "v1.2.3 (rev ab12cd3), 12.24.1-20241122.103000, build.20241122.4",
    "IMG_20241122_103000.jpg PXL_20241122_103000123.mp4 report_1234567890.pdf 20241122-ab12cd3.log",
    "stack depth 40; call 83 returned 37455912; called 2030744 times; mobile breakpoint 768; cell 75, 7634356 rows",
    "passport-local 1.0.0; npm i npi-lookup@1.2.3; DL model 700M params; dl 12345678 bytes; pan 1080p; IBAN check",
    "api_key = :key, password = $1, token = %s, secret = ?, pwd = @pwd, api_key=%(key)s",
    "apiKey: {{token}}, password: ${PASSWORD}, token: <token>, api_key: {{ .Values.key }}, token=$TOKEN",
    'const apiKey = process.env.API_KEY; token = os.environ["TOKEN"]; password = os.getenv("PW")',
    "UPDATE t SET token = NULL, password = DEFAULT WHERE id = 5; SELECT password, token FROM t WHERE api_key = :key",
    "the password must have 8 characters; password policy v2; wrong password (attempt 2 of 5); bypass: never",
    "token count: 4096, max_tokens=4096, tokenizer: cl100k_base, token_type: bearer, input_tokens: 12345",
    "0e:49:13:12:29:99:d7:1d:e9:03:13:d4:17:3c:32:a4:0b:2c:04:ff",
    "00000000: de89 3704 0044 0532 0130 0012 ab12 cd34  ..7..D.2.0.....4",
    "4111\t2222\t3333\t4444\t5555\n4012\t8888\t8888\t1881\t77",
    "git@github.com:acme/x.git redis@sha256:00ff actions/checkout@v4 user@host:~ $ a@b lodash@4.17.21 icon@2x.png",
]
VALUES: list[Json] = [
    {"_id": HEX, "card": HEX, "card_id": HEX, "cards": [HEX, HEX], "default_card": "card_1MvoiELkdIwHu7ixOeFGbN9D"},
    {"sin": 0.042648, "cos": 0.9991, "pan": 45, "cc": ["gcc", "clang"]},
    {"pin": 13, "pins": [1, 2, 3], "gpio": {"pin": 17, "mode": "out"}, "pinned": True},
    {"cells": [["part", "qty"], ["961-44-211", 96], ["000-33-7437", 5]]},
    {"token": "${API_TOKEN}", "password": "{{ password }}", "secret": "<secret>", "api_key": "process.env.KEY"},
    {"added_tokens": [{"id": 1, "content": "<|im_start|>"}], "errors": {"password": ["is too short (8 at least)"]}},
    {"login.password": "Passwort", "password": "Mot de passe"},
    {"name": "Quarterly Report", "email_sent": True},
    {"documentType": "invoice", "documentNumber": "INV-2024-0117"},
    {"type": "string", "number": "12345678"},
    {"client_secret": "None", "apiKey": "undefined", "auth_token": "<redacted>", "secret_key": "$KEY", "token": "**"},
    {"PWD": "/srv/ada", "OLDPWD": "/", "proxy_pass": "http://backend", "clave": "color", "pass": 12},
    {"license": "MIT", "driver": "postgres14", "member": {"id": 123456}, "record_no": 4711, "routing": "round-robin"},
    {"phone_verified": True, "phones": 0, "cellular": {"cells": 4}, "call": {"duration_ms": 12345678}, "mobile": True},
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_about_nobody_stays_as_it_stands(masker: Masker, text: str) -> None:
    assert masker.keep_text(text) == text


@pytest.mark.parametrize("value", VALUES, ids=str)
def test_a_value_about_nobody_stays_as_it_stands(masker: Masker, value: Json) -> None:
    assert masker.keep_json(value) == value


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ('"GET /x?phone=2125552368 HTTP/1.1" 200 5120', '"GET /x?phone=<PHONE> HTTP/1.1" 200 5120'),
        ("/x?phone=2125552368 200 5120", "/x?phone=<PHONE> 200 5120"),
        ("DOB: 1980-02-29 Admit: 2024-03-12", "DOB: <DATE_OF_BIRTH> Admit: 2024-03-12"),
        ("SET address='12 Elm Loop', ssn='234456789';", "SET address='<ADDRESS>', ssn='<US_SSN>';"),
        ("SET address='1 O''Brien Loop' WHERE id=3", "SET address='<ADDRESS>' WHERE id=3"),
        ("x: ${DB_PASSWORD:?must be set}", "x: ${DB_PASSWORD:?must be set}"),
    ],
)
def test_what_stands_beside_a_value_stays(masker: Masker, text: str, masked: str) -> None:
    assert masker.keep_text(text).replace("PHONE_NUMBER", "PHONE") == masked
