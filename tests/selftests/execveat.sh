#!/bin/sh
# The links and files that exec/execveat looks for beside it.
set -eu
ln -s execveat execveat.symlink
cp execveat execveat.denatured
chmod -x execveat.denatured
mkdir subdir
printf '#!/bin/sh\nexit $*\n' >script
chmod +x script
