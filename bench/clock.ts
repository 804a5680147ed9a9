import { spawnSync } from 'node:child_process';
import { median } from './figure.ts';

/** CPU seconds of this process so far, all threads. */
export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** CPU seconds that `body` takes. */
export function cpuOf(body: () => void): number {
  const before = cpuSeconds();
  body();
  return cpuSeconds() - before;
}

/**
 * How much of something is done per CPU second: `step` does a piece and answers how much that was. The median of five slices, after one
 * that warms up.
 */
export function ratePerCpuSecond(step: () => number, sliceSeconds = 0.4): number {
  const rates: number[] = [];
  for (let slice = 0; slice < 6; slice++) {
    let done = 0;
    const before = cpuSeconds();
    let used = 0;
    do {
      done += step();
      used = cpuSeconds() - before;
    } while (used < sliceSeconds);
    if (slice > 0) rates.push(done / used);
  }
  return median(rates);
}

/** Linux counts the memory that its parent had when it was forked to a process's maxRSS; what the kernel tells of its own is right. */
const peak = `(()=>{try{return /VmHWM:\\s*(\\d+)/.exec(fs.readFileSync('/proc/self/status','utf8'))[1]}catch{return process.resourceUsage().maxRSS}})()`;
const tellCpu = `data:text/javascript,import fs from 'node:fs';process.on('exit',()=>{const u=process.cpuUsage(),r=${peak};process.stderr.write('\\ncpu='+(u.user+u.system)/1e3+' rss='+r+'\\n')})`;

/** What a fresh process took. */
export interface ChildCost {
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly peakMegabytes: number;
  readonly stdout: string;
}

/** Runs a program in a fresh node and waits for it. @throws Error when it fails */
export function runChild(args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildCost {
  const before = performance.now();
  const child = spawnSync(process.execPath, ['--import', tellCpu, ...args], {
    encoding: 'utf8',
    env: { ...process.env, NODE_NO_WARNINGS: '1', ...env },
  });
  const wallMs = performance.now() - before;
  const told = /cpu=([\d.]+) rss=(\d+)/.exec(child.stderr);
  if (child.status !== 0 || told === null) throw new Error(`${args.join(' ')}: ${child.stderr}`);
  return { cpuMs: Number(told[1]), wallMs, peakMegabytes: Number(told[2]) / 1024, stdout: child.stdout };
}
