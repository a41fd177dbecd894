import { stringify } from 'yaml'

const header = '# Made from the code by `npm run generate`: change the code or scripts/generate/, not this file.\n'

/** One document, or several. Long texts stay on their line, so that a manifest shows what a container gets. */
export const toYaml = (...documents: readonly object[]): string =>
  header + documents.map((each) => stringify(each, { lineWidth: 0, aliasDuplicateObjects: false })).join('---\n')
