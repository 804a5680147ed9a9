/** Run as a process of its own by the start-up topic: a fresh cluster until its first Deployment of 3 is ready. */
import { BenchCluster } from './cluster.ts';
import { clusterPreset } from '../src/model/presets.ts';

const cluster = new BenchCluster(clusterPreset('kind'), true);
cluster.deploy('web', 3);
cluster.until('the first Deployment is ready', () => cluster.isReady('web', 3), 300);
