# Completion of edge-host for bash: install it as /usr/share/bash-completion/completions/edge-host, or
# source it. Names of lines come from the running host, or from the kernel when there is none.

# What `edge-host gpio names` says, through the socket that the command line names.
_edge_host_names() {
  local program=$1 socket=() index
  for ((index = 2; index < COMP_CWORD; index++)); do
    if [[ ${COMP_WORDS[index]} == --socket ]]; then
      # A value that is written with = comes as a word of its own behind it.
      [[ ${COMP_WORDS[index + 1]-} == = ]] && ((index++))
      socket=(--socket "${COMP_WORDS[index + 1]-}")
    fi
  done
  "$program" gpio names "${socket[@]}" 2> /dev/null
}

# WORDS...: offers those of the words that begin with what is typed.
_edge_host_offer() {
  local typed=$1 word
  shift
  COMPREPLY=()
  for word in "$@"; do
    [[ $word == "$typed"* ]] && COMPREPLY+=("$word")
  done
}

_edge_host() {
  local program=$1 typed=$2 previous=$3 command=${COMP_WORDS[1]} action=${COMP_WORDS[2]-} names
  local operator='--server --json --timeout --creds --nkey --tlsca --tlscert --tlskey'
  local direct='--chip --active-low --bias --socket --json --timeout'
  COMPREPLY=()
  if [[ $typed == = || $previous == = && $command == gpio && $action == set ]]; then
    [[ ${COMP_WORDS[COMP_CWORD - 2]} == --* ]] || _edge_host_offer "${typed#=}" on off
    return
  fi
  case $previous in
    --manifest | --file | --socket | --creds | --nkey | --tlsca | --tlscert | --tlskey)
      mapfile -t COMPREPLY < <(compgen -f -- "$typed")
      return
      ;;
    --bias | -b) _edge_host_offer "$typed" as-is disabled pull-up pull-down; return ;;
    --server | --lattice | --timeout | --count | --chip | --hold | --lease | --pulse | -c | -n) return ;;
  esac
  if ((COMP_CWORD == 1)); then
    _edge_host_offer "$typed" run check gpio safe journal hosts call get set watch help --version
    return
  fi
  # shellcheck disable=SC2086
  case $command,$typed in
    run,-*) _edge_host_offer "$typed" --manifest --expand-env ;;
    safe,-*) _edge_host_offer "$typed" --manifest --expand-env --json ;;
    journal,-*) _edge_host_offer "$typed" --file ;;
    journal,*) ((COMP_CWORD > 2)) || _edge_host_offer "$typed" list dump verify clear ;;
    check,-*) _edge_host_offer "$typed" --no-files --limits --expand-env ;;
    check,*) mapfile -t COMPREPLY < <(compgen -f -- "$typed") ;;
    hosts,-*) _edge_host_offer "$typed" $operator ;;
    call,-*) _edge_host_offer "$typed" $operator --lattice ;;
    get,-*) _edge_host_offer "$typed" $operator --lattice --numeric ;;
    set,-*) _edge_host_offer "$typed" $operator --lattice --pulse --lease ;;
    watch,-*) _edge_host_offer "$typed" $operator --lattice --count --acknowledge ;;
    gpio,*)
      if ((COMP_CWORD == 2)); then
        _edge_host_offer "$typed" list scan names get set pulse watch
        return
      fi
      case $action,$typed in
        list,-*) _edge_host_offer "$typed" --json ;;
        scan,-*) _edge_host_offer "$typed" --manifest ;;
        names,-*) _edge_host_offer "$typed" --socket ;;
        get,-*) _edge_host_offer "$typed" $direct --numeric ;;
        set,-*) _edge_host_offer "$typed" $direct --hold --lease ;;
        pulse,-*) _edge_host_offer "$typed" $direct ;;
        watch,-*) _edge_host_offer "$typed" $direct --count ;;
        get,* | set,* | watch,* | pulse,*)
          mapfile -t names < <(_edge_host_names "$program")
          if [[ $action == set ]]; then names=("${names[@]/%/=}"); fi
          _edge_host_offer "$typed" "${names[@]}"
          # Behind NAME= its value is typed.
          [[ $action == set ]] && compopt -o nospace 2> /dev/null
          ;;
      esac
      ;;
  esac
  return 0
}

complete -F _edge_host edge-host
