/** One thing that is wrong in the templates folder. */
export interface TemplateProblem {
  /** Where: a path below the templates folder. */
  readonly file: string;
  /** What is wrong and what mends it. */
  readonly message: string;
}

/** Everything that is wrong in a templates folder, at once. Without whole templates nothing starts. */
export class CatalogueError extends Error {
  override readonly name = 'CatalogueError';
  readonly problems: readonly TemplateProblem[];

  constructor(dir: string, problems: readonly TemplateProblem[]) {
    const lines = problems.map(({ file, message }) => `  ${file}: ${message}`);
    super(`The templates in ${dir} cannot be used:\n${lines.join('\n')}`);
    this.problems = problems;
  }
}
