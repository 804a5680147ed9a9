import { formatSeconds, MINUTE } from '../sim/time.ts';
import { list, text } from './fields.ts';
import type { Property, StoredObject, TrialEnd } from './property.ts';

interface Problem {
  readonly clause: 'has-its-address' | 'none-left';
  readonly subject: string;
  readonly expected: string;
  readonly actual: string;
}

/** What a cloud's service controller promises: every Service of type LoadBalancer has one, and it goes with its Service. */
export const loadBalancersFollow: Property = {
  id: 'load-balancers-follow',
  about: 'Services of type LoadBalancer end with the address of a load balancer of the cloud, and no load balancer outlives its Service.',
  clauses: [
    { id: 'has-its-address', must: 'After healing every Service of type LoadBalancer tells the address that the cloud gave it.' },
    { id: 'none-left', must: 'After healing the cloud has no load balancer whose Service is gone or has another type.' },
  ],
  needsKubernetes: true,
  start({ facts, clock, violate }) {
    const addresses = new Map<string, string>();
    let hasCloud = false;
    let changes = 0;
    facts.cloudServes.subscribe(() => {
      hasCloud = true;
    });
    facts.loadBalancer.subscribe((name, address) => {
      changes++;
      if (address === '') addresses.delete(name);
      else addresses.set(name, address);
    });
    const problems = (end: TrialEnd): readonly Problem[] => {
      const wanting = end.objects.filter(
        ({ resource, object }) => resource === 'services' && text(object, 'spec', 'type') === 'LoadBalancer',
      );
      const missing = wanting.flatMap((service): Problem[] => {
        const given = addresses.get(nameOf(service)) ?? '';
        const told = text(list(service.object, 'status', 'loadBalancer', 'ingress')[0], 'ip');
        const subject = `${service.namespace}/${service.name}`;
        if (given !== '' && told === given) return [];
        const expected = given === '' ? 'a load balancer' : `address ${given}`;
        return [{ clause: 'has-its-address', subject, expected, actual: told === '' ? 'no address' : `address ${told}` }];
      });
      const names = new Set(wanting.map(nameOf));
      const left = [...addresses.keys()].sort().filter((name) => !names.has(name));
      return [
        ...missing,
        ...left.map(
          (name): Problem => ({
            clause: 'none-left',
            subject: name,
            expected: 'no load balancer',
            actual: `${addresses.get(name)} is still there`,
          }),
        ),
      ];
    };
    return {
      exercised: () => changes,
      settled: (end) => !hasCloud || problems(end).length === 0,
      finish: (end) => {
        // Making one takes the cloud a while.
        if (!hasCloud || end.healedAtUs === undefined || end.atUs - end.healedAtUs < MINUTE) return;
        for (const { clause, subject, expected, actual } of problems(end)) {
          violate({
            clause,
            atUs: clock.now,
            sentence: `${subject} has ${actual} ${formatSeconds(end.atUs - end.healedAtUs)} after all faults were healed.`,
            expected,
            actual,
            subjects: [subject],
            facts: [{ atUs: clock.now, subject, text: actual }],
          });
        }
      },
    };
  },
};

/** Upstream DefaultLoadBalancerName. */
function nameOf(service: StoredObject): string {
  return `a${text(service.object, 'metadata', 'uid').replaceAll('-', '')}`.slice(0, 32);
}
