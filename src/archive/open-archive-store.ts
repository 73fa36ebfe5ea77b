// Picks the archive's store by ARCHIVE_URL.
import { resolve } from 'node:path';
import { type Config, ConfigError } from '../config/config.js';
import type { ArchiveStore } from './archive-store.js';
import { DirectoryArchiveStore } from './directory.archive-store.js';
import { S3ArchiveStore } from './s3.archive-store.js';

/** @throws ConfigError; ArchiveStoreError */
export async function openArchiveStore(url: string, config: Config): Promise<ArchiveStore> {
  const [, bucket, prefix] = /^s3:\/\/([^/]+)(?:\/(.*?))?\/*$/.exec(url) ?? [];
  if (bucket === undefined) return DirectoryArchiveStore.open(resolve(url));
  const { ARCHIVE_S3_ENDPOINT, ARCHIVE_S3_REGION, ARCHIVE_S3_ACCESS_KEY_ID, ARCHIVE_S3_SECRET_ACCESS_KEY } =
    config;
  if (ARCHIVE_S3_ACCESS_KEY_ID === undefined || ARCHIVE_S3_SECRET_ACCESS_KEY === undefined) {
    throw new ConfigError([
      `ARCHIVE_URL: an archive in S3 needs ARCHIVE_S3_ACCESS_KEY_ID and ARCHIVE_S3_SECRET_ACCESS_KEY`,
    ]);
  }
  return new S3ArchiveStore({
    endpoint: ARCHIVE_S3_ENDPOINT ?? `https://s3.${ARCHIVE_S3_REGION}.amazonaws.com`,
    region: ARCHIVE_S3_REGION,
    bucket,
    prefix: prefix ? `${prefix}/` : '',
    accessKeyId: ARCHIVE_S3_ACCESS_KEY_ID,
    secretAccessKey: ARCHIVE_S3_SECRET_ACCESS_KEY,
  });
}
