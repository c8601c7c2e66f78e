// Reads a folder of models: the manifest, the specs and the model files, whose hashes must be those of the manifest.

/** Load all models of a folder. `ort` is onnxruntime-node or -web; `read(name)` returns the bytes of a file. */
export async function loadModels(ort, read) {
  const manifest = parseJson(await read("manifest.json"));
  const models = {};
  for (const [stage, entry] of Object.entries(manifest.models)) {
    const stated = manifest.specs?.[stage];
    if (!stated) throw new Error(`the manifest names no spec of ${stage}: run python -m export describe FOLDER`);
    const spec = parseJson(await readChecked(read, stated));
    const content = await readChecked(read, entry);
    const session = await ort.InferenceSession.create(content, { intraOpNumThreads: 1, interOpNumThreads: 1 });
    models[stage] = { ort, spec, session, sha256: entry.sha256 };
  }
  return models;
}

async function readChecked(read, { file, sha256 }) {
  const content = await read(file);
  if (await hash(content) !== sha256) throw new Error(`${file} differs from the manifest`);
  return content;
}

/** Return the sha256 of bytes in hexadecimal digits. */
export async function hash(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export const parseJson = (bytes) => JSON.parse(new TextDecoder().decode(bytes));
