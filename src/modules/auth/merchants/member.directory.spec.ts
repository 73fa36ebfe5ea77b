import type { RecordedEvent } from '../../../event-store/event-store.js';
import type { MerchantEvent, Role } from '../../../events/merchant.events.js';
import type { Directory } from '../directories/directory.js';
import type { DirectoryFollower } from '../directories/directory-follower.js';
import { MemberDirectory } from './member.directory.js';

let directory: MemberDirectory;
let tell: (event: MerchantEvent) => void;
beforeEach(() => {
  const follower = {
    follow: (followed: Directory) => {
      tell = (event) => followed.apply(event as unknown as RecordedEvent);
    },
  };
  directory = new MemberDirectory(follower as unknown as DirectoryFollower);
});

const joined = (person: string, merchant: string, role: Role) =>
  tell({ type: 'MemberJoined', data: { merchant, person, role } });
const changed = (person: string, merchant: string, role: Role) =>
  tell({ type: 'MemberRoleChanged', data: { merchant, person, role } });
const left = (person: string, merchant: string) => tell({ type: 'MemberLeft', data: { merchant, person } });

it('knows members of a merchant by the role they have now, and nobody else', () => {
  joined('pa', 'm1', 'viewer');
  joined('pb', 'm2', 'owner');
  expect(directory.callerOf('pa', 'm1')).toMatchObject({ id: 'person-pa', merchant: 'm1', site: null });
  expect(directory.callerOf('pa', 'm2')).toBeUndefined();
  expect(directory.callerOf('pc', 'm1')).toBeUndefined();
  const scopes = () => [...(directory.callerOf('pa', 'm1')?.scopes ?? [])];
  expect(scopes()).toEqual(['stats:read']);
  changed('pa', 'm1', 'editor');
  expect(scopes()).toEqual(['stats:read', 'definitions:write']);
  left('pa', 'm1');
  expect(directory.callerOf('pa', 'm1')).toBeUndefined();
  changed('pa', 'm1', 'owner');
  expect(directory.callerOf('pa', 'm1')).toBeUndefined();
});

it('knows the merchants of a person in the order of joining', () => {
  expect(directory.merchantsOf('pa')).toEqual([]);
  joined('pa', 'm2', 'owner');
  expect(directory.merchantsOf('pa')).toEqual([{ merchant: 'm2', role: 'owner' }]);
  joined('pa', 'm1', 'viewer');
  joined('pa', 'm3', 'viewer');
  changed('pa', 'm1', 'admin');
  expect(directory.merchantsOf('pa')).toEqual([
    { merchant: 'm2', role: 'owner' },
    { merchant: 'm1', role: 'admin' },
    { merchant: 'm3', role: 'viewer' },
  ]);
  left('pa', 'm2');
  left('pa', 'm3');
  expect(directory.merchantsOf('pa')).toEqual([{ merchant: 'm1', role: 'admin' }]);
  left('pa', 'm1');
  left('pa', 'm1');
  expect(directory.merchantsOf('pa')).toEqual([]);
  joined('pa', 'm1', 'viewer');
  expect(directory.merchantsOf('pa')).toEqual([{ merchant: 'm1', role: 'viewer' }]);
});

it('tells whether somebody who was let in may still as much', () => {
  joined('pa', 'm1', 'editor');
  const caller = directory.callerOf('pa', 'm1')!;
  expect(directory.holds(caller)).toBe(true);
  changed('pa', 'm1', 'admin');
  expect(directory.holds(caller)).toBe(true);
  changed('pa', 'm1', 'viewer');
  expect(directory.holds(caller)).toBe(false);
  left('pa', 'm1');
  expect(directory.holds(caller)).toBe(false);
  expect(directory.holds({ id: 'k1', merchant: 'm1', site: null, scopes: new Set() })).toBe(false);
});
