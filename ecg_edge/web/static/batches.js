// Divides files into requests: a file that is too large must not cost the others.

const MOST_FILES = 40;
const MOST_BYTES = 24 * 2 ** 20;

// Files of one name without its ending belong together, as .hea and .dat do.
function stem(name) {
  const dot = name.lastIndexOf(".");
  return dot > 0 ? name.slice(0, dot) : name;
}

function size(files) {
  return files.reduce((sum, file) => sum + file.size, 0);
}

export function divide(files) {
  const groups = new Map();
  for (const file of files) {
    const key = stem(file.name);
    groups.set(key, [...(groups.get(key) ?? []), file]);
  }
  const batches = [];
  for (const group of groups.values()) {
    const last = batches.at(-1);
    const fits = last && last.length + group.length <= MOST_FILES && size(last) + size(group) <= MOST_BYTES;
    if (fits) last.push(...group);
    else batches.push([...group]);
  }
  return batches;
}
