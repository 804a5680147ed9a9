import { MILLISECOND, type Micros } from './time.ts';

/**
 * Default latencies and CPU costs, with their sources. A scenario may override each; the swarm varies them.
 * They set which interleavings are likely, not what is possible.
 */
export interface Calibration {
  /** One-way latency inside a zone: base and uniform jitter. */
  readonly linkSameZoneUs: Micros;
  readonly linkSameZoneJitterUs: Micros;
  /** One-way latency across zones of a region. */
  readonly linkCrossZoneUs: Micros;
  readonly linkCrossZoneJitterUs: Micros;
  /** Processes of one host. */
  readonly loopbackUs: Micros;
  /** fdatasync of a WAL record: base and jitter. */
  readonly fsyncUs: Micros;
  readonly fsyncJitterUs: Micros;
  /** A read of a file at start-up. */
  readonly diskReadUs: Micros;
  /** CPU of one resume where the program states nothing else. */
  readonly resumeUs: Micros;
  /** Initial retransmission time-out of a connection; doubles up to the maximum. */
  readonly retransmitUs: Micros;
  readonly retransmitMaxUs: Micros;
  /** Silence after which a peer that cannot be reached is given up, where a connection states nothing else. */
  readonly keepAliveUs: Micros;
  /** Initial SYN retransmission time-out (Linux: 1 s, doubling). */
  readonly connectRetryUs: Micros;
}

export const DEFAULT_CALIBRATION: Calibration = {
  // Cloud providers state 0.1–0.3 ms round trip inside a zone and below 2 ms between zones of a region.
  linkSameZoneUs: 120,
  linkSameZoneJitterUs: 80,
  linkCrossZoneUs: 500,
  linkCrossZoneJitterUs: 300,
  loopbackUs: 20,
  // etcd's hardware guide: a good SSD syncs 8 kB in below 1 ms; 10 ms is the 99th percentile it asks for.
  fsyncUs: 600,
  fsyncJitterUs: 400,
  diskReadUs: 2 * MILLISECOND,
  resumeUs: 10,
  // RFC 6298 asks for at least 1 s; Linux uses 200 ms and 120 s (TCP_RTO_MIN, TCP_RTO_MAX).
  retransmitUs: 200 * MILLISECOND,
  retransmitMaxUs: 120_000 * MILLISECOND,
  // Kubernetes clients: HTTP/2 ReadIdleTimeout 30 s, PingTimeout 15 s (k8s.io/apimachinery util/net).
  keepAliveUs: 45_000 * MILLISECOND,
  connectRetryUs: 1_000 * MILLISECOND,
};
