import { z } from 'zod';
import type { TargetChange } from '../target.ts';
import { type At, variablePath } from './github-places.ts';
import { type Operation, unless404 } from './vendor-request.ts';

const commits = z.array(
  z.object({
    sha: z.string(),
    author: z.object({ login: z.string().nullish() }).nullish(),
    commit: z.object({
      message: z.string(),
      author: z.object({ name: z.string().nullish() }).nullish(),
      committer: z.object({ date: z.string().nullish() }).nullish(),
    }),
  }),
);
const variable = z.object({ updated_at: z.string() });

const COMMITS = '20';

/** The commits to a setting's file; of a variable GitHub says when it was changed, not by whom. */
export async function changesAt(operation: Operation, at: At & { since: Date }): Promise<TargetChange[]> {
  const { place, setting, root, branch, since } = at;
  if (place.variable !== undefined) {
    const found = await unless404(operation.get(variablePath(at), variable));
    return found === undefined
      ? []
      : [{ setting, at: new Date(found.updated_at), by: null, what: `variable ${place.variable}` }];
  }
  const path = place.file as string;
  const query = { path, sha: branch, since: since.toISOString(), per_page: COMMITS };
  const found = await operation.get(`${root}/commits`, commits, query);
  return found.flatMap(({ sha, author, commit }): TargetChange[] => {
    const date = commit.committer?.date;
    if (date == null) return [];
    const by = author?.login ?? commit.author?.name ?? null;
    return [{ setting, at: new Date(date), by, what: `commit ${sha.slice(0, 7)} to ${path}` }];
  });
}
