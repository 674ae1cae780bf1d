import { z } from 'zod';
import type { RoomFile } from '../db/schema.ts';

/** A file of a message, of which Slack may tell anything between all and the id alone. */
export const sharedFile = z.looseObject({
  id: z.string().nullish(),
  name: z.string().nullish(),
  title: z.string().nullish(),
  permalink: z.string().nullish(),
  url_private: z.string().nullish(),
  size: z.number().nullish(),
  mode: z.string().nullish(),
  is_external: z.boolean().nullish(),
});

const GONE: Readonly<Record<string, string>> = {
  tombstone: 'it was deleted',
  hidden_by_limit: "it is behind the limit of the workspace's plan",
};

export function roomFile(file: z.infer<typeof sharedFile>): RoomFile {
  const { id, url_private: url, size: bytes, mode } = file;
  const gone = GONE[mode ?? ''] ?? (file.is_external === true ? 'it is kept outside of Slack' : undefined);
  return {
    name: file.name ?? file.title ?? 'file',
    permalink: file.permalink ?? null,
    ...(id == null ? {} : { id }),
    ...(url == null || gone !== undefined ? {} : { url }),
    ...(bytes == null ? {} : { bytes }),
    ...(gone === undefined ? {} : { gone }),
  };
}
