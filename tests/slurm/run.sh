#!/usr/bin/env bash
# Try profiles/slurm on a real SLURM with one node: this machine (Debian or Ubuntu), as root.
#   tests/slurm/run.sh [options for snakemake]
# It installs slurm-wlm and munge if they are missing, starts them, runs the demo made tiny
# (config.yaml beside this file) through them, looks at what SLURM did, and stops them again.
# Where the machine has no card, SLURM is told of one all the same, so that asking for it is tried.
set -euo pipefail

cd "$(dirname "$0")/../.."
SNAKEMAKE=${SNAKEMAKE:-.venv/bin/snakemake}
STUDY=slurm_trial
CONF=/etc/slurm/slurm.conf
MARK="# Written by SourceBench's tests/slurm/run.sh."

say() { echo "slurm trial: $*"; }
fail() { say "$*" >&2; exit 1; }

[[ $(id -u) == 0 ]] || fail "Please run this as root: it installs and starts SLURM's daemons."
command -v "$SNAKEMAKE" >/dev/null ||
    fail "There is no $SNAKEMAKE; run 'make demo' first, or say SNAKEMAKE=/path/to/snakemake."
if [[ -e $CONF ]] && ! grep -qF "$MARK" "$CONF"; then
    fail "$CONF is not of this script's making: this machine has a SLURM already. Use that one" \
        "(profiles/README.md), or try this on another machine."
fi

STATE=$(mktemp -d)
daemons=()
stop() {
    for ((i = ${#daemons[@]} - 1; i >= 0; i--)); do
        kill "${daemons[i]}" 2>/dev/null && wait "${daemons[i]}" || true
    done
    rm -rf "$CONF" /etc/slurm/gres.conf "$STATE"
}
trap stop EXIT

if ! { command -v slurmctld && command -v slurmd && command -v munged; } >/dev/null; then
    say "Installing slurm-wlm and munge ..."
    apt-get -qq update
    DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends slurm-wlm munge \
        >"$STATE/apt.log" 2>&1 || { cat "$STATE/apt.log"; fail "apt-get could not install them."; }
fi

host=$(hostname -s)
mkdir -p /etc/slurm "$STATE/ctld" "$STATE/d"
cat >"$CONF" <<END
$MARK
ClusterName=trial
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
StateSaveLocation=$STATE/ctld
SlurmdSpoolDir=$STATE/d
SlurmctldPidFile=$STATE/slurmctld.pid
SlurmdPidFile=$STATE/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
MinJobAge=86400
ReturnToService=2
SlurmdParameters=config_overrides
GresTypes=gpu
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=64000 Gres=gpu:1
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
card=/dev/null
[[ -e /dev/nvidia0 ]] && card=/dev/nvidia0
echo "Name=gpu File=$card" >/etc/slurm/gres.conf

start() {
    "$@" >>"$STATE/daemons.log" 2>&1 &
    daemons+=($!)
}
if ! munge -n >/dev/null 2>&1; then
    install -d -o munge -g munge -m 755 /run/munge
    start setpriv --reuid=munge --regid=munge --init-groups munged --foreground
fi
for _ in {1..20}; do munge -n >/dev/null 2>&1 && break || sleep 0.5; done
start slurmctld -D
start slurmd -D
for _ in {1..40}; do
    [[ $(sinfo --noheader --format=%T 2>/dev/null) == idle ]] && break || sleep 0.5
done
[[ $(sinfo --noheader --format=%T) == idle ]] || { cat "$STATE/daemons.log"; fail "No idle node."; }
sinfo --Format=NodeList:12,CPUs:6,Memory:8,Gres:8,StateLong:8

rm -rf "results/$STUDY"
"$SNAKEMAKE" --workflow-profile profiles/slurm --cores "$(nproc)" \
    --configfile config/demo.yaml tests/slurm/config.yaml \
    --slurm-status-command squeue --slurm-init-seconds-before-status-checks 5 \
    --seconds-between-status-checks 3 --latency-wait 5 "$@"

"$SNAKEMAKE" --workflow-profile none --cores 1 --quiet all \
    --configfile config/demo.yaml tests/slurm/config.yaml --report "results/$STUDY/report.html"

say "What SLURM ran:"
jobs=$(squeue --states=all --noheader --sort=i \
    --Format=JobID:6,State:12,tres-per-job:14,NumCPUs:5,MinMemory:8,TimeLimit:12,Comment:120)
echo "$jobs"
for path in tables/runs.csv report.html; do
    [[ -s results/$STUDY/$path ]] || fail "results/$STUDY/$path is missing."
done
! awk '$2 != "COMPLETED"' <<<"$jobs" | grep . || fail "Not every job of SLURM was completed."
! grep finetune <<<"$jobs" | grep -v gpu:1 || fail "A fine-tuning job asked for no card."
! grep -vE "finetune|weights|confound" <<<"$jobs" | grep gpu || fail "A job without need asked for a card."
say "Fine: $(wc -l <<<"$jobs") jobs of SLURM, $(tail -n +2 results/$STUDY/tables/runs.csv | wc -l)" \
    "rows in results/$STUDY/tables/runs.csv."
