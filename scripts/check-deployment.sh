#!/usr/bin/env bash
# Everything about deployment that can be judged without a host: playbooks, roles, inventory, shell scripts, units, overlay.
set -euo pipefail
cd "$(dirname "$0")/.."

need() { for program in "$@"; do command -v "$program" > /dev/null || missing+=("$program"); done; }
missing=()
need ansible-playbook ansible-lint shellcheck dtc systemd-analyze
if [ "${#missing[@]}" -gt 0 ]; then
  echo "missing: ${missing[*]}; apt-get install -y --no-install-recommends ansible-core ansible-lint shellcheck device-tree-compiler systemd" >&2
  exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export ANSIBLE_NOCOLOR=1 NO_COLOR=1 LC_ALL=C.UTF-8 ANSIBLE_LOCAL_TEMP="$work/ansible"
step() { printf '%s\n' "$*"; }

step "playbooks: syntax, on the example inventory"
ANSIBLE_CONFIG=ansible/ansible.cfg ansible-playbook --syntax-check -e node=ed-1-1 ansible/*.yml > "$work/log" 2>&1 || {
  cat "$work/log"
  exit 1
}
step "playbooks and roles: ansible-lint"
(cd ansible && ansible-lint --offline --nocolor -q)

step "shell scripts: shellcheck"
mapfile -t shells < <(git ls-files -co --exclude-standard | while read -r file; do
  if [ -f "$file" ] && head -n 1 "$file" | grep -Eq '^#!(/bin/sh|/usr/bin/env bash)'; then echo "$file"; fi
done)
shellcheck "${shells[@]}"

step "units: systemd-analyze verify"
mkdir -p "$work/tree/etc/systemd/system" "$work/tree/usr/lib/systemd/system"
cp -r /lib/systemd/system/*.target "$work/tree/usr/lib/systemd/system/"
for program in opt/offload-rt/bin/node usr/local/lib/offload/{release-guard,wait-for-clock,pin-clock,pin-clocks,ina-interval,power-mode,ina3221-mode,wifi-5ghz}; do
  install -D -m 755 /dev/null "$work/tree/$program"
done
# Nothing of chrony is here but its name.
printf '[Service]\nExecStart=/opt/offload-rt/bin/node\n' > "$work/tree/usr/lib/systemd/system/chrony.service"
render() { # template, unit, variables
  ansible localhost --connection local --module-name ansible.builtin.template \
    --args "src=$PWD/ansible/roles/$1 dest=$work/tree/etc/systemd/system/$2" \
    -e @ansible/roles/lab/defaults/main.yml -e @ansible/roles/daemon/defaults/main.yml -e "$3" > "$work/log" 2>&1 || {
    cat "$work/log"
    exit 1
  }
}
render time/templates/offload-clock.service offload-clock.service "station_host=cbs"
for board in computer raspberry-pi-4 jetson-tx2; do
  for daemon in cbs mec ed; do
    render daemon/templates/offload.service "offload-$daemon.service" "node_role=$daemon station_host=cbs board=$board"
  done
  # The role clocks is of boards alone.
  [ "$board" = computer ] ||
    render clocks/templates/offload-board.service "offload-board.service" "board=$board meter=ina226 wifi_interface=wlan0 lab_country=DE"
  # It ends with 0 although a key is unknown or misspelt, and only says so.
  if ! systemd-analyze verify --man=no --root="$work/tree" "$work"/tree/etc/systemd/system/offload-*.service > "$work/log" 2>&1 ||
    [ -s "$work/log" ]; then
    echo "systemd-analyze complains of the units of a $board:" >&2
    cat "$work/log" >&2
    exit 1
  fi
done

step "overlay: dtc"
dtc -@ -I dts -O dtb -o "$work/offload-ina.dtbo" firmware-scripts/raspberry-pi/offload-ina.dts 2> "$work/log" || {
  cat "$work/log" >&2
  exit 1
}
if [ -s "$work/log" ]; then
  echo "dtc warns of the overlay:" >&2
  cat "$work/log" >&2
  exit 1
fi
step "deployment: nothing to complain about"
