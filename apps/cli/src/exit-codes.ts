/** What the CLI's exit status means. README and every `--help` list them. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  invalid: 3,
  badInput: 4,
  unreachable: 5,
  interrupted: 130,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export const exitCodesHelp = `
Exit status:
  0    done
  1    failed
  2    wrong usage
  3    the run is invalid, or the archive is refused
  4    a manifest, configuration, image or model cannot be used
  5    the lab cannot be reached
  130  interrupted`;
