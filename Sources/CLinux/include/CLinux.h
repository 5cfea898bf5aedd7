#pragma once
#include <stdint.h>
int32_t linux_placeholder(void);
