import type { Host } from '../sim/host.ts';
import type { Process } from '../sim/process.ts';
import type { World } from '../sim/world.ts';

/** A crash that waits in front of one effect of a process. */
export interface ArmedCrash {
  /** Takes it back if it has not struck yet; if it has, the program (or the host's power) may come back as far as it goes. */
  disarm(): void;
  fired(): boolean;
}

/** Lets the process die in front of the effect of that number, and its host lose power with it where asked. Several may wait at once. */
export function armCrash(world: World, host: Host, process: Process, atEffect: number, powerLoss: boolean): ArmedCrash {
  let waiting = true;
  let fired = false;
  process.armKill(atEffect);
  const told = process.onDeath;
  process.onDeath = (dead, cause) => {
    told?.(dead, cause);
    if (!waiting || process.effects < atEffect) return;
    fired = true;
    // The power goes once the process has yielded: the host cannot vanish from inside one of its own resumes.
    if (powerLoss) world.at(world.now, () => host.cutPower());
    else host.keepDown(process.name);
  };
  return {
    disarm: () => {
      if (!waiting) return;
      waiting = false;
      if (!fired) process.disarmKill(atEffect);
      else if (powerLoss) host.restorePower();
      else host.letUp(process.name);
    },
    fired: () => fired,
  };
}
