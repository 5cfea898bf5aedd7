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

    Pins of this board, through the running host or, without one, directly:
      edge-host gpio list [CHIP...]       chips and lines, as gpioinfo prints them
      edge-host gpio scan                 a manifest to start from; --manifest FILE writes it
      edge-host gpio get NAME...
      edge-host gpio set NAME=VALUE...    active, on, 1, true or inactive, off, 0, false
      edge-host gpio pulse NAME DURATION
      edge-host gpio watch [NAME...]      edges as they come
      edge-host gpio names                what the others can be given
      edge-host safe --manifest FILE      put every output into its safe state, after the host has
                                          ended; Raspberry Pi kernels go on driving it then, others
                                          may make it an input that nothing drives

    Options of these:
      --socket PATH       the host's socket; default: /run/edge-host/edge-host.sock if a host runs
      -c, --chip CHIP     take lines directly, by offset or name, of this chip
      -l, --active-low    directly: low is active
      -b, --bias BIAS     directly: as-is, disabled, pull-up or pull-down
      --numeric           get: 1 and 0
      --lease DURATION    set: through the host, safe after that time unless it is set again
      --hold DURATION     set: directly, hold the line so long; else until interrupted
      -n, --count N       watch: end after N edges
      --json, --timeout   as below

    The journal of facts on this board, which these only read, also while a host runs:
      edge-host journal list              what each segment of the file holds
      edge-host journal dump              each fact as a line of JSON
      edge-host journal verify            says what cannot be read; exit status 1 then
      edge-host journal clear             takes all facts away, when no host runs
      --file PATH                         default: journal in $STATE_DIRECTORY, else in
                                          /var/lib/edge-host

    Talk to hosts, through a NATS server:
      edge-host hosts                     list the hosts of all lattices
      edge-host get HOST/NAME             a line's state or a sensor's value
      edge-host set HOST/NAME on|off      --pulse DURATION, --lease DURATION
      edge-host watch 'HOST/NAME'         events; * stands for any characters
      edge-host watch [SUBJECT]           events, readings and statuses of a NATS subject
      edge-host call HOST describe        list a host's lines and sensors
      edge-host call HOST CAPABILITY OPERATION [name=LINE] [key=value ...]

    Options of these:
      --server URL        NATS server; default: LATTICE_HOST, else 127.0.0.1:4222
      --creds FILE        who you are: a .creds file; default: LATTICE_CREDS_FILE
      --nkey FILE         or the seed of a key
      --tlsca FILE        TLS, trusting the authorities of this file (or say tls://HOST)
      --tlscert FILE      and --tlskey FILE: your own certificate
      --json              one JSON document per line
      --timeout DURATION  how long to wait for answers, for example 5s
      --lattice NAME      the host's lattice; default: LATTICE_NAMESPACE, else "default"
      --numeric           get: the number alone
      --count N           watch: end after N messages
      --acknowledge       watch: acknowledge durable events; whoever runs this keeps them

    Examples:
      edge-host set dock-7/siren on --pulse 2s --lattice wh7
      edge-host call dock-7 gpio set name=siren active=true pulse_ms=2000 --lattice wh7

    Exit status: 0 done, 1 failed, 2 the command line or the manifest is wrong.

    """
  }
}
