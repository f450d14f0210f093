/** A command of the document, and the answer that it shows for it. */
export interface Step {
  readonly line: number;
  readonly command: string;
  /** Absent when the document shows none. */
  readonly answer?: { readonly language: string; readonly text: string };
}

/** What stands below one heading. */
export interface Scene {
  readonly title: string;
  readonly steps: readonly Step[];
}

/** Takes a Markdown text apart: an `sh` block is a command, a `json` or `text` block right after it is its answer. */
export function scenesOf(markdown: string): Scene[] {
  const scenes: { title: string; steps: Step[] }[] = [];
  for (const { title, language, text, line } of blocksOf(markdown)) {
    let scene = scenes.at(-1);
    if (scene?.title !== title) {
      scene = { title, steps: [] };
      scenes.push(scene);
    }
    if (language === 'sh') scene.steps.push({ line, command: text });
    else if (language === 'json' || language === 'text') answerLast(scene.steps, { language, text }, line);
  }
  return scenes;
}

function answerLast(steps: Step[], answer: { language: string; text: string }, line: number): void {
  const last = steps.pop();
  if (last === undefined || last.answer !== undefined)
    throw new Error(`line ${line}: an answer that no command comes before`);
  steps.push({ ...last, answer });
}

function* blocksOf(markdown: string) {
  let title = '';
  let open: { language: string; line: number; lines: string[] } | undefined;
  for (const [index, text] of markdown.split('\n').entries()) {
    if (open === undefined) {
      const fence = /^```(\w*)$/.exec(text);
      if (fence) open = { language: fence[1] ?? '', line: index + 2, lines: [] };
      else title = /^#+ (.+)$/.exec(text)?.[1] ?? title;
    } else if (text === '```') {
      yield { title, language: open.language, line: open.line, text: open.lines.join('\n') };
      open = undefined;
    } else {
      open.lines.push(text);
    }
  }
}
