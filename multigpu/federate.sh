# Sourced by run.sh, run-lora.sh and run-kd-lora.sh: a server and its clients as processes of this machine, or this process's
# part of them under Slurm. Everything happens in a subshell, so that the caller's traps, options and jobs stay as they are.

_fedtune_program() {
  local root
  root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
  if [ -n "${FEDTUNE:-}" ]; then echo "$FEDTUNE"
  elif [ -x "$root/build/fedtune" ]; then echo "$root/build/fedtune"
  else command -v fedtune || { echo "multigpu: no fedtune: run \`make build\`, or set FEDTUNE to the program" >&2; return 1; }
  fi
}

# The value of an option among the arguments (--name value or --name=value, with - or _), or a default.
_fedtune_option() { # NAME DEFAULT ARGUMENTS...
  local name=$1 value=$2 argument take=
  shift 2
  for argument; do
    if [ -n "$take" ]; then value=$argument take=; continue; fi
    case ${argument//_/-} in
      "--$name") take=1 ;;
      "--$name"=*) value=${argument#*=} ;;
    esac
  done
  echo "$value"
}

_fedtune_gpus() { nvidia-smi -L 2>/dev/null | grep -c '^GPU '; }

# One client; where there are GPUs, client k computes on the k-th, counted round.
_fedtune_client() { # PROGRAM SERVER RANK ARGUMENTS...
  local program=$1 server=$2 rank=$3 gpus
  shift 3
  gpus=$(_fedtune_gpus)
  if [ "$gpus" -gt 0 ]; then
    CUDA_VISIBLE_DEVICES=$((rank % gpus)) exec "$program" client "$@" --device cuda --server "$server" --rank "$rank"
  fi
  exec "$program" client "$@" --server "$server" --rank "$rank"
}

# All parties on this machine. The first that fails ends the others; so does Ctrl-C, and the server saves its state.
_fedtune_here() { # PROGRAM SCHEME CLIENTS ARGUMENTS...
  local program=$1 scheme=$2 clients=$3 address rank status=0 pid ended
  shift 3
  address=$(_fedtune_option address 127.0.0.1:8080 "$@")
  local pids=() running=()
  trap : INT  # Ctrl-C reaches every process of the terminal; a second signal would end the server before it has saved
  trap 'kill -TERM "${pids[@]}" 2>/dev/null' TERM
  "$program" server "$@" --scheme "$scheme" --num-clients "$clients" --address "$address" &
  pids+=($!)
  for ((rank = 1; rank <= clients; ++rank)); do
    _fedtune_client "$program" "$address" "$rank" "$@" --log-level warning &
    pids+=($!)
  done
  # `wait -n` forgets whoever ends while it is not waiting: it only says that it is time to look who is still there.
  while [ "${#pids[@]}" -gt 0 ]; do
    wait -n "${pids[@]}" 2>/dev/null
    running=()
    for pid in "${pids[@]}"; do
      if kill -0 "$pid" 2>/dev/null; then running+=("$pid"); continue; fi
      wait "$pid"
      ended=$?
      if [ "$ended" = 0 ] || [ "$status" != 0 ]; then continue; fi
      status=$ended
      if [ "$ended" -le 128 ]; then kill -TERM "${pids[@]}" 2>/dev/null; fi
    done
    pids=("${running[@]}")
  done
  return "$status"
}

# Under Slurm task 0 is the server and task k client k; the server's node is the first of the job.
_fedtune_slurm() { # PROGRAM SCHEME ARGUMENTS...
  local program=$1 scheme=$2 port host
  shift 2
  port=$(_fedtune_option address 0.0.0.0:8080 "$@")
  port=${port##*:}
  host=$(scontrol show hostnames "${SLURM_JOB_NODELIST:-}" 2>/dev/null | head -n 1)
  if [ "${SLURM_JOB_NUM_NODES:-1}" = 1 ]; then host=127.0.0.1; fi
  if [ "$SLURM_PROCID" != 0 ]; then _fedtune_client "$program" "$host:$port" "$SLURM_PROCID" "$@"; fi
  if [ "$host" = 127.0.0.1 ]; then host=127.0.0.1; else host=0.0.0.0; fi
  exec "$program" server "$@" --scheme "$scheme" --num-clients $((SLURM_NTASKS - 1)) --address "$host:$port"
}

fedtune_federate() { # SCHEME CLIENTS ARGUMENTS...    under Slurm: SCHEME ARGUMENTS...
  (
    set +emu +o pipefail # whatever the caller's shell has: a client that fails is this script's to handle
    program=$(_fedtune_program) || exit 1
    scheme=$1
    shift
    for argument; do
      case $argument in
        -h | --help) exec "$program" server --help ;;
      esac
    done
    if [ -n "${SLURM_PROCID:-}" ]; then _fedtune_slurm "$program" "$scheme" "$@"; fi
    case ${1:-} in
      '' | *[!0-9]* | 0)
        echo "multigpu: how many clients? source multigpu/run-lora.sh 4 [OPTION VALUE]..." >&2
        exit 2
        ;;
    esac
    _fedtune_here "$program" "$scheme" "$@"
  )
}
