# FedLoRA: source multigpu/run-lora.sh CLIENTS [OPTION VALUE]...   (-h: the options). Under Slurm, without CLIENTS: one task more than
# there are clients.
source "$(dirname "${BASH_SOURCE[0]}")/federate.sh"
fedtune_federate fedlora "$@"
return $? 2>/dev/null || exit $?
