"""A Java source as doxygen understands it, which knows no records: each is a class with a constructor. java_records.py FILE"""

import re
import sys
from pathlib import Path

RECORD = re.compile(r"\brecord (\w+)(\([^)]*\))([^{]*)\{")
print(RECORD.sub(r"class \1\3{ public \1\2 {}", Path(sys.argv[1]).read_text()))
