// Where a test's Kafka comes from: brokers that are given, else Kafka's own server jars run by Java 17
// or newer (fetched with Maven once per user, then found again), else Docker. Synchronous, because Jest
// must know while it collects tests whether a suite can run.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { hasDocker } from './docker.js';
import { findJars } from './java-jars.js';

export type KafkaSource =
  | { readonly source: 'given'; readonly brokers: string[] }
  | { readonly source: 'jars'; readonly java: string; readonly directory: string }
  | { readonly source: 'docker'; readonly image: string }
  | { readonly source: 'none'; readonly why: string };

const POM = fileURLToPath(new URL('kafka.pom.xml', import.meta.url));

const found = new Map<'any' | 'own', KafkaSource>();

/** `own`: one that a test may kill, so never a given one. */
export function findKafka(kind: 'any' | 'own'): KafkaSource {
  const known = found.get(kind) ?? find(kind);
  found.set(kind, known);
  return known;
}

function find(kind: 'any' | 'own'): KafkaSource {
  const given = process.env['TEST_KAFKA_BROKERS'];
  if (kind === 'any' && given) return { source: 'given', brokers: given.split(',') };
  const version = kafkaVersion();
  const fromJars = findJars({ pom: POM, name: `kafka-${version}` });
  if (fromJars.source === 'jars' || !hasDocker()) return fromJars;
  return { source: 'docker', image: `apache/kafka:${version}` };
}

function kafkaVersion(): string {
  return /<artifactId>kafka_[\d.]+<\/artifactId>\s*<version>([^<]+)</.exec(readFileSync(POM, 'utf8'))![1]!;
}
