"""Writes dotenv.json: what python-dotenv reads from many .env files, interpolated as pydantic-settings has it done.

Run with python-dotenv 1: python3 make_dotenv.py > dotenv.json
"""

import io
import json
import os
import random

from dotenv.main import DotEnv
from dotenv.parser import parse_stream

ENVIRONMENT = {"FROM_ENV": "of the environment", "A": "environment's A"}
BY_HAND = [
    "A=plain", "A = spaced ", "export A=exported", "export\tA=tab", "export=1", "exportA=1", "A=abcd efgh ijkl",
    "A=pa$$w$d", 'A="pa$$w$d"', "A='pa$$w\\$d'", "A=back\\slash\\n", 'A="back\\slash"', "A=it's \"so\"",
    'A="two\\nlines"', 'A="two\nlines = a"', "A='two\nlines'", "A=kept#this", "A=#this", "A=cut # this", "A= # this",
    'A="quoted" # this', "A=", "A", "export A", "\ufeffA=after a byte order mark", "A=1\nA=2", "A=1\nA=", "A=1\nA",
    "A=${B}\nB=1", "B=1\nA=${B}", "B=1\nA='${B}'", 'B=1\nA="${B}"', "A=${NONE:-default}", "A=${NONE:-}", "A=${NONE}",
    "A=${FROM_ENV}", "A=${FROM_ENV:-default}", "B=${A}", "A=file\nB=${A}", "B\nC=${B:-d}", "B=\nC=${B:-d}",
    "H=\nA=postgres://${U:-user}:${P:-pa ss}@${H:-localhost}/d", "A=${B:-${C}}", "A=${B:-x}y}", "A=${B", "A=${B:x}",
    "A=${}", "A=${:-d}", "A=$${FROM_ENV}", "A=\\${FROM_ENV}", "'A'=quoted", "'A B'=quoted", "A B=1", "=1", "A==1",
    "A=1;B=2", "A='it\\'s'", 'A="say \\"so\\""', "A='a'b", "A='a' b", "A='open\nB=2", 'A="open\nB=2', "A='open' 'b'\nB=2",
    "A=1\r\nB=2\r\n", "A=1\rB=2", 'A="1\r\n2"', "# comment\nA=1", "  # comment\n  A=1", "A=\u00e9\nB=\u00a0x\u00a0",
    "A=\"\\\\\"\nB=1", "A=\"\\a\\b\\f\\n\\r\\t\\v\\x\\u0041\"", "A='\\a\\n\\\\'", "\n\n A=1\n\n", "A\n=1", "A=\n1", "a=1\nA=2",
    "MAIL_PASSWORD=abcd efgh # app password", "A=a\tb", "A=a\t#b", "A='a'#b", "A='a'#", "A.B=1", "A-B=1", "1=1", "A$=1",
]
TOKENS = ["A", "B", "export ", "=", "=", "=", " ", "\t", "'", '"', "\\", "#", "$", "${A}", "${B:-d}", "${", "}", ":-",
          "\n", "\n", "\r\n", "x", "\u00e9", "n", "A=", "B=", "FROM_ENV"]


def read(text):
    values = DotEnv(None, stream=io.StringIO(text, newline=None), override=True).dict()
    errors = sum(binding.error for binding in parse_stream(io.StringIO(text, newline=None)))
    return {"text": text, "values": {name: value for name, value in values.items() if value is not None}, "errors": errors}


os.environ.clear()
os.environ.update(ENVIRONMENT)
chance = random.Random(7)
files = BY_HAND + ["".join(chance.choices(TOKENS, k=chance.randint(3, 16))) for _ in range(600)]
print(json.dumps({"environment": ENVIRONMENT, "files": [read(text) for text in files]}, indent=0))
