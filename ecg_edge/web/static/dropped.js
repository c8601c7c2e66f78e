// The files of a drop; a folder gives the files in it.

function readEntries(reader) {
  return new Promise((resolve, reject) => reader.readEntries(resolve, reject));
}

async function readEntry(entry) {
  if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  const reader = entry.createReader();
  const files = [];
  // A reader gives a hundred entries at a time, and none at the end.
  for (let entries = await readEntries(reader); entries.length; entries = await readEntries(reader)) {
    for (const inner of entries) files.push(...(await readEntry(inner)));
  }
  return files;
}

export async function readDropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const files = [...transfer.files];
  if (!entries.some((entry) => entry.isDirectory)) return files;
  return (await Promise.all(entries.map(readEntry))).flat();
}
