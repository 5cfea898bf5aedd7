#include "CLinux.h"
int32_t linux_placeholder(void) { return 0; }
