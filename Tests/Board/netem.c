// A test fixture, never installed: makes what a board sends slow, late and lossy, by the kernel's own
// emulation (sch_netem; linux/pkt_sched.h). Replaces what was set before.
//
//   netem INTERFACE RATE_BITS DELAY_MS LOSS_PERCENT     0 is none of it
//
// A call that the kernel refuses is printed with its error; the status is then 1.

#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// Packets that wait, as in a modem: more are lost.
#define QUEUE_PACKETS 32

struct request {
  struct nlmsghdr header;
  struct tcmsg tc;
  char attributes[256];
};

static struct rtattr *append(struct request *request, int type, const void *data, size_t size) {
  struct rtattr *attribute = (void *)((char *)request + NLMSG_ALIGN(request->header.nlmsg_len));
  attribute->rta_type = type;
  attribute->rta_len = RTA_LENGTH(size);
  memcpy(RTA_DATA(attribute), data, size);
  request->header.nlmsg_len = NLMSG_ALIGN(request->header.nlmsg_len) + RTA_ALIGN(attribute->rta_len);
  return attribute;
}

static int refused(const char *call, int error) {
  printf("%s: %s\n", call, strerror(error));
  return 1;
}

int main(int count, char **arguments) {
  if (count != 5) {
    printf("usage: netem INTERFACE RATE_BITS DELAY_MS LOSS_PERCENT\n");
    return 1;
  }
  struct tc_netem_rate rate = {.rate = strtoul(arguments[2], NULL, 10) / 8};
  int64_t delay_ns = strtoll(arguments[3], NULL, 10) * 1000000;
  struct tc_netem_qopt options = {
      .limit = QUEUE_PACKETS,
      .loss = (uint32_t)(strtod(arguments[4], NULL) / 100 * UINT32_MAX),
  };
  struct request request = {
      .header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct tcmsg)),
                 .nlmsg_type = RTM_NEWQDISC,
                 .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE},
      .tc = {.tcm_family = AF_UNSPEC,
             .tcm_ifindex = (int)if_nametoindex(arguments[1]),
             .tcm_handle = 1 << 16,
             .tcm_parent = TC_H_ROOT},
  };
  if (request.tc.tcm_ifindex == 0) return refused(arguments[1], errno);
  append(&request, TCA_KIND, "netem", sizeof "netem");
  struct rtattr *nested = append(&request, TCA_OPTIONS, &options, sizeof options);
  append(&request, TCA_NETEM_LATENCY64, &delay_ns, sizeof delay_ns);
  append(&request, TCA_NETEM_RATE, &rate, sizeof rate);
  nested->rta_len = (unsigned short)((char *)&request + request.header.nlmsg_len - (char *)nested);

  int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (netlink < 0) return refused("socket", errno);
  if (send(netlink, &request, request.header.nlmsg_len, 0) < 0) return refused("send", errno);
  struct {
    struct nlmsghdr header;
    struct nlmsgerr error;
    char rest[512];
  } answer;
  if (recv(netlink, &answer, sizeof answer, 0) < 0) return refused("recv", errno);
  if (answer.header.nlmsg_type != NLMSG_ERROR) return refused("answer", EPROTO);
  if (answer.error.error != 0) return refused("RTM_NEWQDISC", -answer.error.error);
  return 0;
}
