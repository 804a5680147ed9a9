/** How the command line ends; the meanings are fixed for scripts. */
export const EXIT = {
  passed: 0,
  violated: 1,
  inconclusive: 2,
  diverged: 3,
  usage: 64,
  internal: 70,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The exit code of a run's status. */
export function exitOf(status: 'passed' | 'violated' | 'inconclusive'): ExitCode {
  return EXIT[status];
}
