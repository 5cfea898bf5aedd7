// A test fixture, never installed: sets a board's clock and tells the kernel whether it is kept right.
//
//   setclock SECONDS unsynchronised    as `date -s` does
//   setclock SECONDS synchronised      as systemd-timesyncd does: both in one call
//   setclock - synchronised            as chrony does behind a step, or without one
//
// SECONDS count from 1970; the kernel takes none that are less than it runs. A call that it refuses is
// printed with its error; the status is then 1.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>

static int fail(const char *call) {
  perror(call);
  return 1;
}

int main(int count, char **arguments) {
  if (count != 3) {
    fprintf(stderr, "usage: setclock SECONDS|- synchronised|unsynchronised\n");
    return 2;
  }
  struct timespec time = {.tv_sec = strtoll(arguments[1], NULL, 10)};
  if (strcmp(arguments[2], "unsynchronised") == 0) {
    return clock_settime(CLOCK_REALTIME, &time) < 0 ? fail("clock_settime") : 0;
  }
  struct timex state = {.modes = ADJ_STATUS | ADJ_MAXERROR | ADJ_ESTERROR, .status = STA_PLL};
  if (strcmp(arguments[1], "-") != 0) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    state.modes |= ADJ_SETOFFSET | ADJ_NANO;
    state.time.tv_sec = time.tv_sec - now.tv_sec;
  }
  return adjtimex(&state) < 0 ? fail("adjtimex") : 0;
}
