#!/bin/sh
# docs/gen is what the tables of lib/abi say.
exec tools/gendocs.py --check
