/* For tests of what asks for capabilities: nobody keeps a log of it. */
#include "sec/cred.h"

void upcall_cap_used(const struct cred *c, int cap)
{
}
