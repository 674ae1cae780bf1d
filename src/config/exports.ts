import { z } from 'zod';

const langfuse = z.strictObject({
  url: z.url({ protocol: /^https?$/, error: 'must be an http(s) address' }),
  public_key: z.string().min(1),
  secret_key: z.string().min(1),
  dataset: z.string().min(1).default('llm-incident'),
});
export type LangfuseExportConfig = z.infer<typeof langfuse>;

/** What a path may be made of; `{incident}` must be among it, so that no incident overwrites another. */
const PLACES = /\{(?:incident|service|date|year)\}/g;

const path = z
  .string()
  .refine((said) => said.includes('{incident}'), 'must hold {incident}, such as evals/{incident}.yaml')
  .refine(
    (said) => !/[{}]/.test(said.replace(PLACES, '')),
    'may hold {incident}, {service}, {date} and {year} only',
  )
  .refine(
    (said) => said.split('/').every((part) => !['', '.', '..', '.git'].includes(part)),
    'must be a path inside the repository, without a leading slash, . or ..',
  );

const github = z.strictObject({
  url: z.url({ protocol: /^https?$/, error: 'must be an http(s) address' }).default('https://api.github.com'),
  token: z.string().min(1, 'must name an environment variable, such as "${GITHUB_TOKEN}"'),
  repository: z.string().regex(/^[\w.-]+\/[\w.-]+$/, 'must be OWNER/NAME'),
  /** What the pull request is against. */
  branch: z.string().min(1).default('main'),
  postmortem_path: path
    .refine((said) => said.endsWith('.md'), 'must end with .md')
    .default('postmortems/{incident}/postmortem.md'),
  evals_path: path
    .refine((said) => /\.ya?ml$/.test(said), 'must end with .yaml or .yml')
    .default('evals/{incident}.yaml'),
  issues: z.boolean().default(false),
  labels: z.array(z.string().min(1)).default([]),
  /** By Slack user id: the GitHub login to whom the issue of an action item is assigned. */
  assignees: z
    .record(z.string().regex(/^[UW][A-Z0-9]+$/, 'must be a Slack user id such as U012ABC'), z.string().min(1))
    .default({}),
  private: z.boolean().default(false),
  room_files: z.boolean().default(false),
  allow_private: z.boolean().default(false),
});
export type GithubExportConfig = z.infer<typeof github>;

export const exportsConfig = z.strictObject({ langfuse: langfuse.optional(), github: github.optional() });

/** Which files of a room are kept beside the post-mortem. */
const roomFiles = z.strictObject({
  keep: z.boolean().default(true),
  private: z.boolean().default(false),
  largest_mb: z.number().positive().max(100).default(10),
  most: z.number().int().min(1).max(500).default(50),
});
export type RoomFilesConfig = z.infer<typeof roomFiles>;

/** The keys of the file that say what a post-mortem holds, and where it is kept besides the room and the disk. */
export const documentKeys = {
  exports: exportsConfig.prefault({}),
  room_files: roomFiles.prefault({}),
  /** Roles in place of names in every document. */
  blameless_names: z.boolean().default(false),
};

export const exportShapes = {
  'exports.': exportsConfig.shape,
  'exports.langfuse.': langfuse.shape,
  'exports.github.': github.shape,
  'room_files.': roomFiles.shape,
};
