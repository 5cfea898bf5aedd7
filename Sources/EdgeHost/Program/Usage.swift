import Transport

/// What `--help` prints.
enum Usage {
  static var text: Text {
    """
    edge-host: makes a board's pins and sensors capabilities of a lattice

    Run a host:
      edge-host run --manifest FILE       (or: edge-host --manifest FILE)
      edge-host check FILE                check a manifest; prints each mistake with its place
      --no-files                          without reading the secrets and certificates it names
      edge-host check FILE --limits       and print what its link may hold in memory
      --expand-env                        with both: replace ${NAME} in the manifest first

    Talk to hosts, through a NATS server:
      edge-host hosts                     list the hosts of all lattices
      edge-host call HOST describe        list a host's lines and sensors
      edge-host call HOST CAPABILITY OPERATION [name=LINE] [key=value ...]
      edge-host watch [SUBJECT]           print events, readings and statuses as they come

    Options of these:
      --server URL        NATS server; default: LATTICE_HOST, else 127.0.0.1:4222
      --json              one JSON document per line
      --timeout DURATION  how long to wait for answers, for example 5s
      --lattice NAME      call: the host's lattice; default: LATTICE_NAMESPACE, else "default"
      --count N           watch: end after N messages
      --acknowledge       watch: acknowledge durable events; whoever runs this keeps them

    Examples:
      edge-host call dock-7 gpio get name=dock-door --lattice wh7
      edge-host call dock-7 gpio set name=siren active=true pulse_ms=2000 --lattice wh7

    Exit status: 0 done, 1 failed, 2 the command line or the manifest is wrong.

    """
  }
}
