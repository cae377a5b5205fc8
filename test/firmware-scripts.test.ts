import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readYaml } from "@offloadlab/records";
import { afterEach, describe, expect, it } from "vitest";
import { BoardTree, type Ran } from "./board-tree.ts";

const scripts = join(import.meta.dirname, "../firmware-scripts");
const trees: BoardTree[] = [];
const tree = (files: Readonly<Record<string, string>> = {}): BoardTree => {
  const made = new BoardTree(files);
  trees.push(made);
  return made;
};
afterEach(() => {
  for (const made of trees.splice(0)) made.remove();
});

/** What every script promises: --dry-run changes nothing, the first run changes, the second has nothing to do. */
const expectIdempotent = (board: BoardTree, script: string, ...args: readonly string[]): Ran => {
  const before = board.contents();
  const dry = board.run(join(scripts, script), ...args, "--dry-run");
  expect(dry).toMatchObject({ code: 0, stdout: expect.stringMatching(/changed: /) });
  expect(board.contents()).toEqual(before);
  const first = board.run(join(scripts, script), ...args);
  expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/changed: /) });
  const after = board.contents();
  expect(board.run(join(scripts, script), ...args)).toMatchObject({ code: 0, stdout: expect.stringMatching(/^ok: /) });
  expect(board.contents()).toEqual(after);
  return first;
};

const cpufreq = "sys/devices/system/cpu/cpufreq/policy0";
const pi = {
  "boot/config.txt": "# Pi\narm_boost=1\n[pi4]\ndtoverlay=vc4-kms-v3d\n",
  [`${cpufreq}/cpuinfo_max_freq`]: "1800000\n",
  [`${cpufreq}/scaling_governor`]: "ondemand\n",
  [`${cpufreq}/scaling_max_freq`]: "1800000\n",
  [`${cpufreq}/scaling_min_freq`]: "600000\n",
};

describe("raspberry-pi/pin-clock", () => {
  it("holds the clock now and after a reboot", () => {
    const board = tree(pi);
    expect(expectIdempotent(board, "raspberry-pi/pin-clock", "1500000000").stdout).toMatch(/; reboot$/m);
    expect(board.read("boot/config.txt")).toBe(
      "# Pi\n[pi4]\ndtoverlay=vc4-kms-v3d\n[all]\narm_boost=0\n[all]\narm_freq=1500\n",
    );
    expect(board.read(`${cpufreq}/scaling_governor`)).toBe("performance\n");
    expect(board.read(`${cpufreq}/scaling_max_freq`)).toBe("1500000\n");
    expect(board.read(`${cpufreq}/scaling_min_freq`)).toBe("1500000\n");
  });

  it("finds config.txt where Debian 12 has it", () => {
    const board = tree({ "boot/firmware/config.txt": "", "boot/config.txt": "moved\n" });
    board.run(join(scripts, "raspberry-pi/pin-clock"), "1500000000");
    expect(board.read("boot/firmware/config.txt")).toContain("arm_freq=1500\n");
    expect(board.read("boot/config.txt")).toBe("moved\n");
  });

  it("refuses a clock that the processor has not", () => {
    const result = tree(pi).run(join(scripts, "raspberry-pi/pin-clock"), "2400000000");
    expect(result).toMatchObject({ code: 1, stderr: expect.stringContaining("above this processor's 1800000 kHz") });
    expect(tree(pi).run(join(scripts, "raspberry-pi/pin-clock"), "1.5GHz").code).toBe(2);
  });
});

describe("raspberry-pi/ina-overlay", () => {
  it("installs the overlay and names it once, whatever was there", () => {
    const board = tree({
      ...pi,
      "boot/config.txt": "#dtparam=i2c_arm=on\ndtoverlay=offload-ina,shunt=1\n",
      blob: "overlay",
    });
    expectIdempotent(board, "raspberry-pi/ina-overlay", join(board.root, "blob"), "ina219", "0x40", "0x41", "0.1");
    expect(board.read("boot/overlays/offload-ina.dtbo")).toBe("overlay");
    expect(board.read("boot/config.txt")).toBe(
      "[all]\ndtparam=i2c_arm=on\ndtoverlay=offload-ina,load_addr=0x40,harvest_addr=0x41,shunt=100000,ina219\n",
    );
  });

  it("is not for other boards", () => {
    const result = tree().run(join(scripts, "raspberry-pi/ina-overlay"), "x", "ina226", "0x40", "0x41", "0.1");
    expect(result).toMatchObject({ code: 1, stderr: expect.stringContaining("is this a Pi?") });
  });
});

describe("raspberry-pi/ina-interval", () => {
  const monitor = (number: number): string => `sys/class/hwmon/hwmon${number}`;
  const metered = (): BoardTree =>
    tree({
      [`${monitor(0)}/name`]: "cpu_thermal\n",
      [`${monitor(1)}/name`]: "ina226\n",
      [`${monitor(1)}/update_interval`]: "35\n",
      [`${monitor(2)}/name`]: "ina219\n",
      [`${monitor(3)}/name`]: "ina226\n",
      [`${monitor(3)}/update_interval`]: "1126\n",
    });

  it.each([
    ["0.005", "2"],
    ["0.02", "9"],
    ["0.05", "35"],
    ["0.2", "141"],
    ["1", "563"],
  ])("lets the meters average within samples of %s s", (seconds, milliseconds) => {
    const board = metered();
    board.add({ [`${monitor(1)}/update_interval`]: "4\n" });
    expectIdempotent(board, "raspberry-pi/ina-interval", seconds);
    for (const number of [1, 3]) expect(board.read(`${monitor(number)}/update_interval`)).toBe(`${milliseconds}\n`);
  });

  it("has nothing to do before the boot that binds them", () => {
    const result = tree().run(join(scripts, "raspberry-pi/ina-interval"), "0.02");
    expect(result).toMatchObject({ code: 0, stdout: "ok: no INA226 is bound yet\n" });
  });

  it.each([[], ["20ms"], ["0"], ["0.001"], ["-1"]])("refuses the period %s", (...words) => {
    expect(metered().run(join(scripts, "raspberry-pi/ina-interval"), ...words).code).toBe(2);
  });
});

describe("a reboot of a Raspberry Pi", () => {
  type Call = [script: string, ...args: string[]];
  const pinClock: Call = [join(scripts, "raspberry-pi/pin-clock"), "1500000000"];
  const overlay = (board: BoardTree): Call => [
    ...([join(scripts, "raspberry-pi/ina-overlay"), join(board.root, "blob")] as const),
    ...["ina226", "0x40", "0x41", "0.1"],
  ];

  it.each<[name: string, call: (board: BoardTree) => Call]>([
    ["pin-clock", () => pinClock],
    ["ina-overlay", overlay],
  ])("is due from the change of %s until the boot, and not after it", (_, script) => {
    const board = tree({ ...pi, blob: "overlay" });
    expect(board.run(...script(board), "--dry-run").stdout).toMatch(/^changed: .*; reboot$/m);
    expect(board.run(...script(board)).stdout).toMatch(/^changed: .*; reboot$/m);
    for (const words of [[], ["--dry-run"], []])
      expect(board.run(...script(board), ...words).stdout).toMatch(/^ok: .*; reboot$/m);
    board.boot();
    expect(board.run(...script(board)).stdout).toMatch(/^ok: [^;]*$/);
  });

  it("is due again when only the overlay is another", () => {
    const board = tree({ ...pi, blob: "overlay" });
    board.run(...overlay(board));
    board.boot();
    board.add({ blob: "another" });
    expect(board.run(...overlay(board)).stdout).toMatch(/^changed: .*; reboot$/m);
    expect(board.run(...overlay(board)).stdout).toMatch(/^ok: .*; reboot$/m);
  });

  it("is not due for what a boot forgets", () => {
    const board = tree(pi);
    board.run(...pinClock);
    board.boot();
    board.add({ [`${cpufreq}/scaling_governor`]: "ondemand\n" });
    expect(board.run(...pinClock).stdout).toMatch(/^changed: [^;]*$/m);
  });
});

describe("raspberry-pi/throttle-check", () => {
  it.each([
    ["0x0", 0, "ok: never held back since boot"],
    ["0x50000", 0, "ok now; since boot: under-voltage throttled"],
    ["0x50005", 1, "held back now: under-voltage throttled"],
    ["0x80008", 1, "held back now: soft-temperature-limit"],
  ])("reads %s", (bits, code, stdout) => {
    const board = tree();
    board.program("vcgencmd", `echo throttled=${bits}`);
    expect(board.run(join(scripts, "raspberry-pi/throttle-check"))).toMatchObject({ code, stdout: `${stdout}\n` });
    const other = tree({ "sys/devices/platform/soc/soc:firmware/get_throttled": `${bits.slice(2)}\n` });
    expect(other.run(join(scripts, "raspberry-pi/throttle-check"))).toMatchObject({ code, stdout: `${stdout}\n` });
  });

  it("does not take silence for health", () => {
    expect(tree().run(join(scripts, "raspberry-pi/throttle-check")).code).toBe(2);
  });
});

describe("raspberry-pi/first-boot", () => {
  const hash = "$6$salt$hash";
  const psk = "0123456789abcdef".repeat(4);
  const card = (): { board: BoardTree; common: string[] } => {
    const board = tree({ "card/config.txt": "" });
    board.add({ key: "ssh-ed25519 AAAA operator\n", hash: `${hash}\n`, psk: `${psk}\n` });
    const at = (name: string): string => join(board.root, name);
    const common = [
      "--hostname",
      "ed-1-1",
      "--ssh-key",
      at("key"),
      "--country",
      "DE",
      "--ssid",
      "lab",
      "--psk",
      at("psk"),
    ];
    return { board, common: [at("card"), ...common, "--password-hash", at("hash")] };
  };

  it("bullseye: ssh, userconf.txt and wpa_supplicant.conf on 5 GHz", () => {
    const { board, common } = card();
    expectIdempotent(board, "raspberry-pi/first-boot", ...common, "--os", "bullseye");
    expect(board.read("card/ssh")).toBe("");
    expect(board.read("card/userconf.txt")).toBe(`offload:${hash}\n`);
    expect(board.read("card/wpa_supplicant.conf")).toContain("freq_list=5180 5200 5220 5240\n");
    expect(board.read("card/wpa_supplicant.conf")).toContain(`  psk=${psk}\n`);
  });

  it("bookworm: custom.toml", () => {
    const { board, common } = card();
    expectIdempotent(board, "raspberry-pi/first-boot", ...common, "--os", "bookworm");
    const toml = board.read("card/custom.toml");
    expect(toml).toMatch(/^config_version = 1$/m);
    expect(toml).toMatch(/^hostname = "ed-1-1"$/m);
    expect(toml).toMatch(/^authorized_keys = \["ssh-ed25519 AAAA operator"\]$/m);
    expect(toml).toMatch(/^country = "DE"$/m);
    expect(toml).toContain(`password = "${psk}"\npassword_encrypted = true`);
  });

  it("trixie: cloud-init on 5 GHz, entered by key alone", () => {
    const { board, common } = card();
    expectIdempotent(board, "raspberry-pi/first-boot", ...common, "--os", "trixie");
    expect(board.read("card/user-data")).toMatch(/^#cloud-config\nhostname: ed-1-1\n/);
    // Raspberry Pi OS has sshd disabled until its own key of cloud-init's is set, as rpi-imager sets it.
    expect(readYaml(board.read("card/user-data"), "user-data")).toMatchObject({
      value: {
        hostname: "ed-1-1",
        enable_ssh: true,
        ssh_pwauth: false,
        users: [
          {
            name: "offload",
            lock_passwd: true,
            sudo: "ALL=(ALL) NOPASSWD:ALL",
            ssh_authorized_keys: ["ssh-ed25519 AAAA operator"],
          },
        ],
      },
    });
    expect(board.read("card/network-config")).toContain("band: 5GHz");
  });

  it.each([
    [["--hostname", "pi"], /expected --hostname as in the inventory/],
    [["--country", "Germany"], /without it 5 GHz stays off/],
    [["--os", "buster"], /expected --os bullseye, bookworm or trixie/],
    [["--wifi", "x"], /unknown option --wifi/],
  ])("refuses %j and writes nothing", (wrong, message) => {
    const { board, common } = card();
    const before = board.contents();
    const result = board.run(join(scripts, "raspberry-pi/first-boot"), ...common, "--os", "trixie", ...wrong);
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(message);
    expect(board.contents()).toEqual(before);
  });

  it("writes to nothing that is not a Pi's boot partition", () => {
    const board = tree({ "stick/photo.jpg": "" });
    expect(board.run(join(scripts, "raspberry-pi/first-boot"), join(board.root, "stick"))).toMatchObject({ code: 2 });
  });
});

describe("common/wifi-5ghz", () => {
  /** A radio whose settings are files. */
  const radio = (board: BoardTree): void => {
    board.add({ power: "on", region: "00" });
    board.program(
      "iw",
      `case "$*" in
         "reg get") echo "country $(cat $OFFLOAD_ROOT/region): DFS-ETSI" ;;
         "reg set "*) printf %s "$3" > $OFFLOAD_ROOT/region ;;
         *"get power_save") echo "Power save: $(cat $OFFLOAD_ROOT/power)" ;;
         *"set power_save off") printf off > $OFFLOAD_ROOT/power ;;
       esac`,
    );
  };

  it("with wpa_supplicant: country and channels in its configuration, power save off", () => {
    const board = tree({ "etc/wpa_supplicant/wpa_supplicant.conf": "update_config=1\ncountry=US\nnetwork={\n}\n" });
    radio(board);
    board.program("wpa_cli", "");
    expectIdempotent(board, "common/wifi-5ghz", "wlan0", "DE");
    expect(board.read("etc/wpa_supplicant/wpa_supplicant.conf")).toBe(
      "country=DE\nfreq_list=5180 5200 5220 5240\nupdate_config=1\nnetwork={\n}\n",
    );
    expect(board.read("power")).toBe("off");
    expect(board.calls()).toContain("wpa_cli -i wlan0 reconfigure");
  });

  it("with NetworkManager: band and power save of the connection", () => {
    const board = tree({ band: "", powersave: "0 (default)" });
    radio(board);
    board.program(
      "nmcli",
      `case "$*" in
         *"device show wlan0") echo lab ;;
         *"802-11-wireless.band connection show lab") cat $OFFLOAD_ROOT/band ;;
         *"802-11-wireless.powersave connection show lab") cat $OFFLOAD_ROOT/powersave ;;
         "connection modify lab 802-11-wireless.band a") printf a > $OFFLOAD_ROOT/band ;;
         "connection modify lab 802-11-wireless.powersave 2") printf '2 (disable)' > $OFFLOAD_ROOT/powersave ;;
       esac`,
    );
    expectIdempotent(board, "common/wifi-5ghz", "wlan0", "DE");
    expect(board.calls()).toContain("nmcli connection up lab");
  });

  it("says so when nobody manages the interface", () => {
    const board = tree();
    radio(board);
    expect(board.run(join(scripts, "common/wifi-5ghz"), "wlan0", "DE")).toMatchObject({ code: 1 });
  });
});

describe("common/identify", () => {
  it("gives the light back", () => {
    const board = tree({ "sys/class/leds/ACT/trigger": "none timer [mmc0] heartbeat\n" });
    expect(board.run(join(scripts, "common/identify"), "0")).toMatchObject({
      code: 0,
      stdout: "blinking ACT for 0 s\n",
    });
    expect(board.read("sys/class/leds/ACT/trigger")).toBe("mmc0\n");
    expect(tree().run(join(scripts, "common/identify"), "0").code).toBe(1);
  });
});

describe("jetson-tx2/power-mode and restore-mode", () => {
  const jetson = (): BoardTree => {
    const board = tree({ mode: "0" });
    board.program(
      "nvpmodel",
      'case $1 in -q) printf "NV Power Mode: X\\n%s\\n" "$(cat $OFFLOAD_ROOT/mode)" ;; -m) printf %s "$2" > $OFFLOAD_ROOT/mode ;; esac',
    );
    return board;
  };
  it("asks for a mode when it is another", () => {
    const board = jetson();
    expectIdempotent(board, "jetson-tx2/power-mode", "3");
    expect(board.calls().filter((call) => call === "nvpmodel -m 3")).toHaveLength(1);
  });
  it("keeps the mode before once, and gives it back", () => {
    const board = jetson();
    board.run(join(scripts, "jetson-tx2/power-mode"), "3");
    board.run(join(scripts, "jetson-tx2/power-mode"), "1");
    expectIdempotent(board, "jetson-tx2/restore-mode");
    expect(board.read("mode")).toBe("0");
    // The next lab finds it in a mode of its owner's.
    board.add({ mode: "2" });
    board.run(join(scripts, "jetson-tx2/power-mode"), "3");
    expect(board.run(join(scripts, "jetson-tx2/restore-mode")).stdout).toBe("changed: mode 2 as before\n");
  });
  it("keeps the mode before until the board is back in it", () => {
    const board = jetson();
    board.run(join(scripts, "jetson-tx2/power-mode"), "3");
    board.program("nvpmodel", 'printf "NV Power Mode: X\\n3\\n"');
    expect(board.run(join(scripts, "jetson-tx2/restore-mode"))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("asked for mode 0, got 3"),
    });
    expect(board.read("var/lib/offload/power-mode.before")).toBe("0\n");
  });
  it("changes no mode that it cannot give back", () => {
    const board = jetson();
    board.program("nvpmodel", "exit 1");
    expect(board.run(join(scripts, "jetson-tx2/power-mode"), "3")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("expected nvpmodel -q to end with a mode from 0 to 4, got ''"),
    });
    expect(board.calls()).toEqual(["nvpmodel -q"]);
  });
  it("does not believe without looking", () => {
    const board = jetson();
    board.program("nvpmodel", 'printf "NV Power Mode: X\\n0\\n"');
    expect(board.run(join(scripts, "jetson-tx2/power-mode"), "3")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("asked for mode 3, got 0"),
    });
    expect(board.run(join(scripts, "jetson-tx2/power-mode"), "7").code).toBe(2);
  });
});

describe("jetson-tx2/pin-clocks and restore-clocks", () => {
  it("keeps what was before once, and gives it back", () => {
    const policy = "sys/devices/system/cpu/cpu0/cpufreq";
    const board = tree({ [`${policy}/scaling_min_freq`]: "345600\n", [`${policy}/scaling_max_freq`]: "2035200\n" });
    board.program(
      "jetson_clocks",
      `min=$OFFLOAD_ROOT/${policy}/scaling_min_freq
       case $1 in
         --store) cp $min $2 ;;
         --restore) cp $2 $min ;;
         "") echo 2035200 > $min ;;
       esac`,
    );
    expectIdempotent(board, "jetson-tx2/pin-clocks");
    expect(board.read(`${policy}/scaling_min_freq`)).toBe("2035200\n");
    // After a reboot the clocks vary again; what was before is known already.
    board.add({ [`${policy}/scaling_min_freq`]: "500000\n" });
    board.run(join(scripts, "jetson-tx2/pin-clocks"));
    expectIdempotent(board, "jetson-tx2/restore-clocks");
    expect(board.read(`${policy}/scaling_min_freq`)).toBe("345600\n");
  });
});

describe("jetson-tx2/ina3221-mode", () => {
  it("lets every monitor measure when it is read", () => {
    const chip = (address: string) => `sys/bus/i2c/devices/0-00${address}`;
    const board = tree({
      [`${chip("40")}/name`]: "ina3221x\n",
      [`${chip("40")}/iio:device0/running_mode`]: "1\n",
      [`${chip("41")}/name`]: "ina3221x\n",
      [`${chip("41")}/iio:device1/running_mode`]: "1\n",
      [`${chip("50")}/name`]: "24c02\n",
    });
    expectIdempotent(board, "jetson-tx2/ina3221-mode", "triggered");
    for (const place of [`${chip("40")}/iio:device0`, `${chip("41")}/iio:device1`])
      expect(board.read(`${place}/running_mode`)).toBe("0\n");
    expect(board.run(join(scripts, "jetson-tx2/ina3221-mode"))).toMatchObject({ code: 2 });
    expect(tree().run(join(scripts, "jetson-tx2/ina3221-mode"), "triggered").code).toBe(1);
  });
});

describe("jetson-tx2/flash", () => {
  const digest = (text: string): string => createHash("sha256").update(text).digest("hex");
  const archives = () => {
    const board = tree({ bsp: "bsp", rootfs: "rootfs", password: "secret", key: "ssh-ed25519 AAAA operator\n" });
    const at = (name: string): string => join(board.root, name);
    const args = [at("bsp"), digest("bsp"), at("rootfs"), digest("rootfs")];
    const named = ["--ssh-key", at("key"), "--password", at("password"), "--work", at("work")];
    return { board, args: [...args, "--hostname", "mec-1", ...named] };
  };

  it("says what it would do, and keeps the password to itself", () => {
    const { board, args } = archives();
    const result = board.run(join(scripts, "jetson-tx2/flash"), ...args, "--dry-run");
    expect(result).toMatchObject({ code: 0 });
    for (const step of ["apply_binaries.sh", "-n mec-1 --accept-license", "./flash.sh jetson-tx2 mmcblk0p1"])
      expect(result.stdout).toContain(step);
    expect(result.stdout).not.toContain("secret");
  });

  /** Archives whose scripts are NVIDIA's as far as this one meets them: a user is made once, and flashing takes the files that are there. */
  const nvidia = () => {
    const { board } = archives();
    const pack = (folder: string, files: Readonly<Record<string, string>>): string => {
      board.add(Object.fromEntries(Object.entries(files).map(([path, text]) => [`${folder}.d/${path}`, text])));
      const [from, archive] = [join(board.root, `${folder}.d`), join(board.root, folder)];
      execFileSync("chmod", ["-R", "u+x", from]);
      execFileSync("tar", ["-cf", archive, "-C", from, "."]);
      rmSync(from, { recursive: true });
      return createHash("sha256").update(readFileSync(archive)).digest("hex");
    };
    const tegra = "Linux_for_Tegra";
    const bsp = pack("bsp", {
      [`${tegra}/apply_binaries.sh`]: "#!/bin/sh\n",
      [`${tegra}/rootfs/README.txt`]: "",
      [`${tegra}/tools/l4t_create_default_user.sh`]: `#!/bin/sh
        passwd=$(dirname "$0")/../rootfs/etc/passwd
        if grep "^$2:" "$passwd"; then echo "user $2 exists" >&2; exit 1; fi
        echo "$2:x:$(id -u):$(id -g)::/home/$2:/bin/bash" >> "$passwd"
        echo "$4" >> "$OFFLOAD_ROOT/passwords"
      `,
      [`${tegra}/flash.sh`]: `#!/bin/sh
        cp -r rootfs "$OFFLOAD_ROOT/flashed-$(cat rootfs/etc/hostname)"
      `,
    });
    const rootfs = pack("rootfs", {
      "etc/passwd": "root:x:0:0:root:/root:/bin/bash\n",
      "etc/hosts": "127.0.0.1 localhost\n127.0.1.1 tegra-ubuntu\n",
    });
    board.program("lsusb", "exit 0");
    const at = (name: string): string => join(board.root, name);
    const args = [at("bsp"), bsp, at("rootfs"), rootfs, "--ssh-key", at("key"), "--password", at("password")];
    return { board, args: [...args, "--work", at("work")] };
  };

  it("flashes one board after the other from one file system, each with its name", () => {
    const { board, args } = nvidia();
    for (const name of ["mec-1", "mec-2", "mec-1"]) {
      rmSync(join(board.root, `flashed-${name}`), { recursive: true, force: true });
      const result = board.run(join(scripts, "jetson-tx2/flash"), ...args, "--hostname", name);
      expect(result).toMatchObject({ code: 0, stdout: expect.stringContaining(`changed: ${name} is flashed`) });
      const flashed = (path: string): string => board.read(`flashed-${name}/${path}`);
      expect(flashed("etc/hostname")).toBe(`${name}\n`);
      expect(flashed("etc/hosts")).toBe(`127.0.0.1 localhost\n127.0.1.1 ${name}\n`);
      expect(flashed("etc/passwd").match(/^offload:/gm)).toHaveLength(1);
      // Ansible and the doctor enter with the key, and ask sudo for nothing.
      expect(flashed("home/offload/.ssh/authorized_keys")).toBe("ssh-ed25519 AAAA operator\n");
      expect(flashed("etc/sudoers.d/offload")).toBe("offload ALL=(ALL) NOPASSWD: ALL\n");
      expect(statSync(join(board.root, "work/Linux_for_Tegra/rootfs/etc/sudoers.d/offload")).mode & 0o777).toBe(0o440);
    }
    expect(board.read("passwords")).toBe("secret\n");
  });

  it("flashes no board that nobody could enter", () => {
    const { board, args } = archives();
    const keyless = args.filter((word, index) => word !== "--ssh-key" && args[index - 1] !== "--ssh-key");
    expect(board.run(join(scripts, "jetson-tx2/flash"), ...keyless, "--dry-run")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("expected --ssh-key"),
    });
  });

  it("takes no archive whose digest is another", () => {
    const { board, args } = archives();
    writeFileSync(join(board.root, "rootfs"), "tampered");
    expect(board.run(join(scripts, "jetson-tx2/flash"), ...args, "--dry-run")).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/rootfs: expected SHA-256 .*; download it again/),
    });
  });

  it("flashes nothing when no board is in recovery mode", () => {
    const { board, args } = archives();
    board.program("lsusb", "exit 1");
    expect(board.run(join(scripts, "jetson-tx2/flash"), ...args)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("hold REC, press RST"),
    });
  });
});
