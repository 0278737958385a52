/* The codes of lib/abi/exit.def as constants: VM_EXIT_PANIC and so on. */
#ifndef LIB_VM_EXIT_H
#define LIB_VM_EXIT_H

enum vm_exit {
#define EXIT_CODE(name, value, meaning) VM_EXIT_##name = (value),
#include "lib/abi/exit.def"
#undef EXIT_CODE
};

#endif
