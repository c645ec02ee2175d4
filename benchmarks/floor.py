"""The least that any tool must do: walk, read every .py file, drop most by a bytes regex, parse the rest.

`python floor.py ROOT PATTERN` prints how many files were read and parsed. It imports as little as it can.
"""

from __future__ import annotations

import ast
import os
import re
import sys
import warnings

root, pattern = sys.argv[1:]
search = re.compile(pattern.encode()).search
warnings.simplefilter("ignore", SyntaxWarning)
read = parsed = 0
for folder, _, names in os.walk(root):
    for name in names:
        if name.endswith(".py"):
            with open(os.path.join(folder, name), "rb") as file:
                source = file.read()
            read += 1
            if b"torch" in source and search(source):
                ast.parse(source)
                parsed += 1
print(read, parsed)
