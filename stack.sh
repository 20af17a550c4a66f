#!/usr/bin/env bash
# From a fresh Debian or Ubuntu machine to a running stack, its tests or its demo: one command, no questions.
# Everything it makes lies in this folder (.venv, .cache, .onebox); system packages come from apt.
# Nothing here needs systemd, and no service of the machine is used: tests and demo start private ones.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"

VENV=.venv
STAMP=$VENV/.stack-stamp          # what the environment was made from; written last
MAKING=$VENV/.stack-making        # there while the environment is being made: if we find it, it is half made
LOGS=.cache/logs
FAILURES='^(FAILED|ERROR) |^(INTERNALERROR|Interrupted)|^lab: '     # lines of a test's log that say what went wrong
LAB_SECONDS=2400                  # after which the lab's machines are ended: four times what two processors take
LAB_UNAVAILABLE=125               # exit status of `python -m tests.lab` where the machine cannot run

# libvirt-python is compiled against the machine's own libvirt.
BUILD=(python3-venv python3-dev gcc libc6-dev pkg-config libvirt-dev)
# A hypervisor host, what the demo's guest is made of, and file systems that volumes as files lie on.
HOST=(libvirt-daemon-system libvirt-daemon-driver-qemu libvirt-clients qemu-system-x86 qemu-utils e2fsprogs xfsprogs btrfs-progs
      busybox-static cpio kmod mtools syslinux)
# What a deployment of several processes stands on; only the system tests and benchmarks start them.
SERVICES=(rabbitmq-server mariadb-server postgresql)
# The lab's machine (tests/lab/) and what a storage host runs; nothing of it is started on this one.
LAB=(user-mode-linux lvm2 thin-provisioning-tools open-iscsi multipath-tools cryptsetup-bin lsscsi sg3-utils
     kmod udev iproute2 iptables)

usage() {
    cat <<'TEXT'
usage: ./stack.sh COMMAND [arguments]

  demo              watch a running guest's disk grow, driven by the openstack command
  demo --resize     watch a server move between two hosts, its disks with it
  test              all tests; with arguments, pytest with those arguments
  lab               the tests on real LVM, iSCSI, multipath and guests, in a user-mode Linux machine; with arguments,
                    pytest with those arguments in there
  lab --shell       a prompt in such a machine
  lint              ruff, import rules, sample files, documents
  up [options]      onebox in the foreground until Ctrl-C; its options: ./stack.sh up --help
  samples           write etc/'s sample configuration and policy files anew, and doc/'s pages of policies
  help              this text

Each command first makes sure of what it needs: Debian packages by apt-get (as root or by sudo) and a Python
environment in .venv with the versions of constraints.txt. The next run finds it done.
TEXT
}

say() { printf 'stack: %s\n' "$*"; }
complain() { printf 'stack: %s\n' "$*" >&2; }
die() { complain "$@"; exit 1; }

ticker=
finish() { if [[ -n $ticker ]]; then kill "$ticker" 2>/dev/null || true; fi; }
trap finish EXIT
trap 'complain interrupted; exit 130' INT
trap 'exit 143' TERM

# quietly WHAT LOG COMMAND...: run COMMAND with its output in LOG, say every 15 s that it still runs, and show the
# log's end if it fails.
quietly() {
    local what=$1 log=$2 began=$SECONDS status=0
    shift 2
    say "$what ..."
    ( while sleep 15 >/dev/null 2>&1; do say "  ... $((SECONDS - began)) s"; done ) 9>&- &
    ticker=$!
    ( "$@" ) >"$log" 2>&1 </dev/null 9>&- || status=$?     # in a shell of its own, so that a trap speaks to the terminal
    kill "$ticker" 2>/dev/null || true
    wait "$ticker" 2>/dev/null || true
    ticker=
    if (( status )); then
        complain "$what: failed (exit $status). The end of its output:"
        tail -n 20 "$log" | sed 's/^/    /' >&2
    else
        say "  done in $((SECONDS - began)) s"
    fi
    return "$status"
}

# ------------------------------------------------------------------------------------------- system packages

installed() { [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

missing_packages() {
    local package
    for package in "$@"; do
        installed "$package" || printf '%s ' "$package"
    done
}

# How to become root: '' is already root; fails when there is no way.
root_by() {
    if (( EUID == 0 )); then echo ''
    elif sudo -n true 2>/dev/null; then echo 'sudo -n'
    elif [[ -t 0 ]] && command -v sudo >/dev/null; then echo 'sudo'
    else return 1
    fi
}

APT=(-y --no-install-recommends --no-remove -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3
     -o Dpkg::Options::=--force-confold)

apt_install() {   # apt_install 'sudo or nothing' PACKAGE...
    local as=$1 policy=/usr/sbin/policy-rc.d package known=()
    shift
    # Debian starts a daemon with its package; here each is started by who needs it, and for itself.
    if [[ ! -e $policy ]]; then
        trap "$as rm -f $policy" EXIT
        printf '#!/bin/sh\nexit 101\n' | $as tee "$policy" >/dev/null
        $as chmod 755 "$policy"
    fi
    # Lists of other repositories may fail to load; what counts is whether the packages install.
    $as apt-get update -o DPkg::Lock::Timeout=300 || true
    for package in "$@"; do
        if apt-cache show "$package" >/dev/null; then known+=("$package"); fi
    done
    $as env DEBIAN_FRONTEND=noninteractive apt-get install "${APT[@]}" "${known[@]}"
}

cannot_install() {   # cannot_install REASON PACKAGE...
    local reason=$1
    shift
    complain "these system packages are missing, and $reason:"
    complain "    $*"
    complain "as root:  apt-get update && apt-get install -y $*"
    complain 'without them these still run:'
    complain '    ./stack.sh lint                                         everything (needs Python 3.11 or newer with venv)'
    complain '    ./stack.sh test                                         all but the tests of what is missing: they say "skipped"'
    complain '    ./stack.sh up --hypervisor memory --backend memory      both services, with no real guest'
    complain 'and of these, what needs them does not: ./stack.sh demo (libvirt, QEMU, the parts of its guest), ./stack.sh lab'
}

# system_packages PACKAGE...: install those that are missing; fails, having said what to do, where it cannot.
system_packages() {
    local missing as
    if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
        [[ -e $LOGS/no-apt ]] || cannot_install 'this machine has no apt-get (the names are Debian'"'"'s)' "$@"
        : >"$LOGS/no-apt"
        return 1
    fi
    missing=$(missing_packages "$@")
    [[ -n $missing ]] || return 0
    if ! as=$(root_by); then
        cannot_install 'this user is not root and has no sudo' $missing
        return 1
    fi
    say "system packages to install: $missing"
    if ! quietly "apt-get update, apt-get install" "$LOGS/apt.log" apt_install "$as" $missing; then
        cannot_install 'apt-get could not install them' $(missing_packages "$@")
        return 1
    fi
    missing=$(missing_packages "$@")
    if [[ -n $missing ]]; then
        cannot_install 'the package lists of this machine have none of these names' $missing
        return 1
    fi
}

# The guest's kernel is unpacked from its Debian package, which apt-get can only fetch with current lists. Once made, the
# guest is kept, so that this is asked of a machine once.
lists_for_guest() {
    local as
    if compgen -G "${XDG_CACHE_HOME:-$HOME/.cache}/onebox/guest-*.img" >/dev/null; then return; fi
    command -v apt-get >/dev/null || return 0
    if [[ -n $(find /var/lib/apt/lists -name '*Packages*' -mmin -1440 -print -quit 2>/dev/null) ]]; then return; fi
    as=$(root_by) || return 0
    quietly "apt-get update (the guest's kernel is fetched by apt)" "$LOGS/apt-lists.log" \
        $as apt-get update -o DPkg::Lock::Timeout=300 || true
}

# ---------------------------------------------------------------------------------------- Python environment

PYTHON_OK='import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))'

find_python() {
    local python
    for python in python3 python3.13 python3.12 python3.11; do
        if "$python" -c "$PYTHON_OK" >/dev/null 2>&1; then
            command -v "$python"
            return
        fi
    done
    return 1
}

# Older releases carry a newer Python under its own name.
newer_python() {
    local as
    if find_python >/dev/null; then return; fi
    if as=$(root_by) && command -v apt-get >/dev/null; then
        quietly "no Python 3.11 or newer with venv here: installing python3.11" "$LOGS/apt-python.log" \
            apt_install "$as" python3.11 python3.11-venv python3.11-dev || true
    fi
    find_python >/dev/null || die 'Python 3.11 or newer with its venv module is needed (Debian 12: apt-get install python3-venv).'
}

environment() {
    local python wanted extras
    newer_python
    python=$(find_python)
    extras=client,test
    if command -v gcc >/dev/null && pkg-config --exists libvirt 2>/dev/null; then
        extras=$extras,libvirt
    fi
    wanted=$(printf "%s\n" "$PWD" "$extras" "$("$python" -V)" */__init__.py && sha256sum pyproject.toml setup.cfg constraints.txt)
    if [[ ! -e $MAKING && -x $VENV/bin/python && $(cat "$STAMP" 2>/dev/null) == "$wanted" ]]; then
        return
    fi
    if [[ -e $MAKING ]] || { [[ -d $VENV ]] && ! "$VENV/bin/python" -c "$PYTHON_OK" >/dev/null 2>&1; }; then
        say "$VENV is half made or broken: made anew"
        rm -rf "$VENV"
    fi
    mkdir -p "$VENV"
    : >"$MAKING"
    rm -f "$STAMP"
    quietly "Python environment $VENV ($("$python" -V))" "$LOGS/venv.log" "$python" -m venv "$VENV" \
        || die "no environment, see $LOGS/venv.log"
    # Build tools first: what has to be built (libvirt-python, ourselves) is built with pinned ones.
    quietly "packages of constraints.txt [$extras], about a minute" "$LOGS/pip.log" install_python "$extras" \
        || die "the Python packages did not install, see $LOGS/pip.log; run this again to continue"
    printf '%s\n' "$wanted" >"$STAMP"
    rm -f "$MAKING"
}

install_python() {
    local pip=("$VENV/bin/python" -m pip --disable-pip-version-check --no-input install -c constraints.txt)
    "${pip[@]}" setuptools && "${pip[@]}" --no-build-isolation -e ".[$1]"
}

# -------------------------------------------------------------------------------------------------- commands

# prepare all|some PACKAGE...: make sure of packages and environment, one run at a time. Fails where packages stay
# missing; with `all` it then leaves it at that.
prepare() {
    local status=0 wanted=$1
    shift
    mkdir -p "$LOGS"
    exec 9>.stack.lock
    if command -v flock >/dev/null && ! flock -n 9; then
        say 'another run is setting up: waiting for it'
        flock 9
    fi
    system_packages "$@" || status=1
    [[ $wanted == some || $status == 0 ]] || return 1
    [[ " $* " != *" cpio "* ]] || lists_for_guest
    environment
    exec 9>&-                     # the lock ends here, not with the command
    return "$status"
}

samples() {   # samples ETC DOC: write all sample files and the pages made of what they are made of to these folders
    local service
    local -x PYTHONWARNINGS=ignore
    for service in volsvc computesvc; do
        mkdir -p "$1/$service"
        "$VENV/bin/oslo-config-generator" --config-file "etc/generator/$service.conf" \
            --output-file "$1/$service/$service.conf.sample"
        "$VENV/bin/oslopolicy-sample-generator" --namespace svckit --namespace "$service" \
            --output-file "$1/$service/policy.yaml.sample" 2>/dev/null
        "$VENV/bin/python" -m svckit.policy_reference "$service" >"$2/policies-$service.rst"
    done
}

samples_are_current() {
    local folder service status=0
    folder=$(mktemp -d)
    samples "$folder" "$folder" || status=1
    for service in volsvc computesvc; do
        diff -ru "etc/$service/$service.conf.sample" "$folder/$service/$service.conf.sample" || status=1
        diff -ru "etc/$service/policy.yaml.sample" "$folder/$service/policy.yaml.sample" || status=1
        diff -u "doc/policies-$service.rst" "$folder/policies-$service.rst" || status=1
    done
    rm -rf "$folder"
    (( status == 0 )) || complain 'write them anew with: ./stack.sh samples'
    return "$status"
}

documents() {   # every .rst is well formed
    local file status=0
    while IFS= read -r file; do
        "$VENV/bin/python" -m docutils --report=2 --halt=5 --exit-status=2 "$file" >/dev/null || status=1
    done < <(git ls-files '*.rst' 2>/dev/null || find . -name '*.rst' -not -path "./$VENV/*")
    return "$status"
}

lint() {
    local check failed=()
    local -A checks=(
        [ruff]="$VENV/bin/ruff check ." [imports]="$VENV/bin/lint-imports --no-logo --no-cache"
        [samples]=samples_are_current [documents]=documents [shell]='bash -n stack.sh .ci/run')
    for check in shell ruff imports samples documents; do
        if ${checks[$check]} >"$LOGS/lint-$check.log" 2>&1 </dev/null; then
            say "lint: $check: good"
        else
            say "lint: $check: failed"
            failed+=("$check")
        fi
    done
    (( ${#failed[@]} )) || { say 'lint: all good'; return; }
    for check in "${failed[@]}"; do        # the causes last, where they are seen
        complain "lint: $check says:"
        tail -n 40 "$LOGS/lint-$check.log" >&2
    done
    die "lint failed: ${failed[*]}"
}

# Three parts: what is quick, then what starts services, databases and guests, then the lab, as many at once as there
# are processors. Whatever a test starts is its own; where that takes long, the tests of a file stay in one process and
# share it (pytest 9 took away what pytest-xdist 3.8 marks groups by: loadgroup groups nothing).
tests() {
    local failed=0 began=$SECONDS
    rm -f "$LOGS"/test-*.log
    say 'tests, part 1 of 3: unit, api, operations, drivers, host'
    pytest_logged quick -q -n "$(nproc)" --dist worksteal --ignore tests/system --ignore tests/lab tests || failed=1
    say "tests, part 2 of 3: the system, as several processes and with real clients ($((SECONDS - began)) s so far)"
    pytest_logged system -v --durations=10 -n "$(nproc)" --dist loadfile tests/system || failed=1
    say "tests, part 3 of 3: the lab, on real LVM, iSCSI and multipath ($((SECONDS - began)) s so far)"
    lab_tests || failed=1
    if (( failed )); then
        complain "tests failed after $((SECONDS - began)) s:"
        grep -hE "$FAILURES" "$LOGS"/test-*.log >&2 || tail -qn 15 "$LOGS"/test-*.log >&2
        return 1
    fi
    say "tests: all good${lab_skipped:+ but the lab, which was skipped: $lab_skipped}, $((SECONDS - began)) s"
}

# The lab's tests. Where its machine cannot run they are skipped, and lab_skipped says why.
lab_skipped=
lab_tests() {
    local status=0
    "$VENV/bin/python" -m tests.lab --seconds "$LAB_SECONDS" 2>&1 </dev/null | tee "$LOGS/test-lab.log" || status=$?
    if (( status == LAB_UNAVAILABLE )); then
        lab_skipped=$(sed -n 's/^lab: //p' "$LOGS/test-lab.log" | tail -n 1)
        complain "the lab's tests are skipped: $lab_skipped"
        return 0
    fi
    return "$status"
}

lab() {
    local began=$SECONDS
    if [[ ${1:-} == --shell ]]; then exec "$VENV/bin/python" -m tests.lab --shell; fi
    if (( $# )); then exec "$VENV/bin/python" -m tests.lab -- python -m pytest -p no:cacheprovider "$@"; fi
    if ! lab_tests; then
        complain "the lab's tests failed after $((SECONDS - began)) s:"
        grep -hE "$FAILURES" "$LOGS/test-lab.log" >&2 || tail -n 15 "$LOGS/test-lab.log" >&2
        return 1
    fi
    [[ -z $lab_skipped ]] || return 1
    say "the lab's tests: all good, $((SECONDS - began)) s"
}

pytest_logged() {   # pytest_logged NAME ARGUMENTS...
    local name=$1
    shift
    "$VENV/bin/python" -m pytest "$@" 2>&1 </dev/null | tee "$LOGS/test-$name.log"
}

command=${1:-help}
[[ $# -eq 0 ]] || shift
case $command in
    demo)
        prepare all "${BUILD[@]}" "${HOST[@]}" || die 'the demo needs the packages named above'
        exec "$VENV/bin/python" -m onebox.demo "$@" ;;
    up)
        prepare some "${BUILD[@]}" "${HOST[@]}" || true
        exec "$VENV/bin/onebox" "$@" ;;
    test)
        prepare some "${BUILD[@]}" "${HOST[@]}" "${SERVICES[@]}" "${LAB[@]}" \
            || complain 'going on: tests of what is missing will be skipped'
        if (( $# )); then exec "$VENV/bin/python" -m pytest "$@"; fi
        tests ;;
    lab)
        prepare some "${BUILD[@]}" "${HOST[@]}" "${SERVICES[@]}" "${LAB[@]}" || true
        lab "$@" ;;
    lint)
        prepare some "${BUILD[@]}" || true
        lint ;;
    samples)
        prepare some "${BUILD[@]}" || true
        samples etc doc
        say 'written: etc/*/*.sample doc/policies-*.rst' ;;
    help|-h|--help)
        usage ;;
    *)
        usage >&2
        die "there is no command '$command'" ;;
esac
