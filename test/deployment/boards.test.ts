import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { VirtualLab } from "./virtual-lab.ts";

const name = "ed-1-1";
const config = "/boot/config.txt";
const policy = "/sys/devices/system/cpu/cpufreq/policy0";

/** At each boot: a processor whose clock varies, and a radio that saves power, as a Raspberry Pi starts. */
const boots = `#!/bin/sh
set -e
cpu=/sys/devices/system/cpu
online=$(cat $cpu/online)
mount -t tmpfs tmpfs $cpu
echo "$online" > $cpu/online
mkdir -p ${policy}
echo 1800000 > ${policy}/cpuinfo_max_freq
echo ondemand > ${policy}/scaling_governor
echo 1800000 > ${policy}/scaling_max_freq
echo 600000 > ${policy}/scaling_min_freq
mkdir -p /run/radio
echo on > /run/radio/power
echo 00 > /run/radio/region
`;

/** They stand for the radio that a container has not: its settings are files. */
const iw = `#!/bin/sh
case "$*" in
  "reg get") echo "country $(cat /run/radio/region): DFS-ETSI" ;;
  "reg set "*) echo "$3" > /run/radio/region ;;
  "dev wlan0 get power_save") echo "Power save: $(cat /run/radio/power)" ;;
  "dev wlan0 set power_save off") echo off > /run/radio/power ;;
  *) echo "iw: $*?" >&2; exit 2 ;;
esac
`;
const wpaCli = `#!/bin/sh
echo "$*" >> /run/radio/wpa_cli
`;

const unit = `[Unit]
Before=offload-board.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/board
[Install]
WantedBy=multi-user.target
`;

/** In the order of a board's life: each test finds the host as the one before has left it. */
describe("a booted host as a Raspberry Pi", () => {
  let lab: VirtualLab;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "offloadlab-board-"));
    lab = await VirtualLab.start([name]);
    writeFileSync(join(folder, "lab.yaml"), JSON.stringify(inventoryOf(lab), null, 1));
    const put = (path: string, mode: string, text: string) =>
      lab.on(
        name,
        `mkdir -p $(dirname ${path}) && printf %s '${text.replaceAll("'", "'\\''")}' > ${path} && chmod ${mode} ${path}`,
      );
    await put("/usr/local/sbin/board", "755", boots);
    await put("/usr/local/bin/iw", "755", iw);
    await put("/usr/local/bin/wpa_cli", "755", wpaCli);
    await put("/etc/systemd/system/board.service", "644", unit);
    await put(config, "644", "# Pi\narm_boost=1\n");
    await put("/etc/wpa_supplicant/wpa_supplicant.conf", "600", "update_config=1\nnetwork={\n}\n");
    await lab.on(name, "systemctl enable --now board");
  });
  afterAll(async () => {
    await lab?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** How much `offload provision` changed. */
  const provision = async (...words: readonly string[]): Promise<number | undefined> => {
    const { code, stdout, stderr } = await lab.offload(
      ...["provision", "--limit", name, "--inventory", join(folder, "lab.yaml")],
      ...["--home", join(folder, "home"), "--format", "json", ...words],
    );
    expect(stderr + stdout, "the command's output").toSatisfy(() => code === 0);
    return (JSON.parse(stdout) as { data: Record<string, { changed: number }> }).data[name]?.changed;
  };
  const bootId = (): Promise<string> => lab.on(name, "cat /proc/sys/kernel/random/boot_id");
  const moment = (): Promise<string> =>
    lab.on(name, `cat ${policy}/scaling_governor ${policy}/scaling_min_freq /run/radio/power /run/radio/region`);
  const held = "performance\n1500000\noff\nDE";

  it("provision binds the meters, holds the clock and keeps the radio awake", async () => {
    expect(await provision()).toBeGreaterThan(0);
    expect(await lab.on(name, `cat ${config}`)).toBe(
      `# Pi
[all]
dtparam=i2c_arm=on
dtoverlay=offload-ina,load_addr=0x40,harvest_addr=0x41,shunt=100000
[all]
arm_boost=0
[all]
arm_freq=1500`,
    );
    // A device tree blob begins with this number.
    expect(await lab.on(name, "head -c 4 /boot/overlays/offload-ina.dtbo | od -An -tx1")).toBe("d0 0d fe ed");
    expect(await lab.on(name, "cat /etc/wpa_supplicant/wpa_supplicant.conf")).toBe(
      "country=DE\nfreq_list=5180 5200 5220 5240\nupdate_config=1\nnetwork={\n}",
    );
    expect(await lab.on(name, "cat /run/radio/wpa_cli")).toBe("-i wlan0 reconfigure");
    expect(await moment()).toBe(held);
    expect(await lab.on(name, "systemctl is-enabled offload-board")).toBe("enabled");
  });

  it("a second time it changes nothing, and still says that a reboot is due", async () => {
    expect(await provision()).toBe(0);
    expect(readFileSync(join(folder, "home/logs/provision.log"), "utf8")).toMatch(/ed-1-1 needs a reboot/);
  });

  it("with --reboot it reboots for what the first run has edited, and the board makes its settings again", async () => {
    const before = await bootId();
    const [changed] = await Promise.all([provision("--reboot"), lab.rebooted(name)]);
    expect(changed).toBe(1);
    expect(await bootId()).not.toBe(before);
    await lab.until(name, "systemctl is-active offload-board", (state) => state === "active");
    expect(await moment()).toBe(held);
    const pinClock = "/usr/local/lib/offload/pin-clock 1500000000";
    expect(await lab.on(name, pinClock)).toBe("ok: clock held at 1500000000 Hz");
  });
});

/** The other nodes are named only. */
const inventoryOf = ({ hosts, access }: VirtualLab) => ({
  all: {
    vars: { ...access, lab_name: "boards", lab_country: "DE", hardware: "linux", time_sets_clock: false },
    children: {
      cbs: { hosts: { cbs: { board: "computer", ansible_host: "10.77.0.101" } } },
      mec: {
        hosts: { "mec-1": { board: "jetson-tx2", meter: "ina3221", ansible_host: "10.77.0.102", community: 1 } },
      },
      ed: {
        vars: { board: "raspberry-pi-4", meter: "ina226", harvest_source: "measured", wifi_interface: "wlan0" },
        hosts: { [name]: { ansible_host: hosts[name], community: 1 } },
      },
    },
  },
});
