import { z } from 'zod';

const langfuse = z.strictObject({
  url: z.url({ protocol: /^https?$/, error: 'must be an http(s) address' }),
  public_key: z.string().min(1),
  secret_key: z.string().min(1),
  dataset: z.string().min(1).default('llm-incident'),
});
export type LangfuseExportConfig = z.infer<typeof langfuse>;

/** Where what an incident leaves behind is kept besides the room and the disk. */
export const exportsConfig = z.strictObject({ langfuse: langfuse.optional() });

export const exportShapes = { 'exports.': exportsConfig.shape, 'exports.langfuse.': langfuse.shape };
