import type { ActorKind } from '../document.ts';

const SHAPES: Readonly<Record<ActorKind, string>> = {
  client: 'M7 2.4a4.6 4.6 0 1 1 0 9.2a4.6 4.6 0 1 1 0-9.2z',
  'api-server': 'M7 1.8 12.2 7 7 12.2 1.8 7z',
  etcd: 'M7 1.5 12 4.3v5.4L7 12.5 2 9.7V4.3z',
  controller: 'M7 2 12.4 11.6H1.6z',
  scheduler: 'M1.6 2.4h10.8L7 12z',
  kubelet: 'M2.4 2.4h9.2v9.2H2.4z',
  app: 'M2 4.4h10v7.2H2zM2 4.4 4.4 2h5.2L12 4.4',
  network: 'M7 1.5v11M2 7h2.5M9.5 7H12',
  disk: 'M2 3.6c0-2.2 10-2.2 10 0v6.8c0 2.2-10 2.2-10 0zM2 3.6c0 2.2 10 2.2 10 0',
  clock: 'M7 1.6a5.4 5.4 0 1 1 0 10.8a5.4 5.4 0 1 1 0-10.8zM7 4v3l2.2 1.6',
  fault: 'M3 3l8 8M11 3l-8 8',
};

/** The path of an actor's shape in a box of 14 pixels. */
export function actorPath(kind: ActorKind): string {
  return SHAPES[kind];
}

export function ActorIcon({ kind }: { readonly kind: ActorKind }) {
  return (
    <svg
      width="14"
      height="14"
      viewBox="0 0 14 14"
      aria-hidden="true"
      fill="none"
      stroke="currentColor"
      stroke-width="1.4"
      stroke-linejoin="round"
    >
      <path d={SHAPES[kind]} />
    </svg>
  );
}

/** The diagonal hatch of a fault, as a pattern to fill with. Ids must differ between the page's diagrams. */
export function Hatch({
  id,
  color,
  gap = 8,
  width = 1.8,
}: {
  readonly id: string;
  readonly color: string;
  readonly gap?: number;
  readonly width?: number;
}) {
  return (
    <defs>
      <pattern id={id} width={gap} height={gap} patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <line x1={0} y1={0} x2={0} y2={gap} stroke={color} stroke-width={width} />
      </pattern>
    </defs>
  );
}
