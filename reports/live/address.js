// What a reader has set is kept in the address, behind the question mark, so that a link shows the
// same to others. Anchors stay what they are. A page from a file may do this too.
function inAddress(name) {
  return new URLSearchParams(location.search).get(name);
}

// A number from the address within its limits, or the value that stands without one.
function numberInAddress(name, low, high, otherwise) {
  const text = inAddress(name);
  const value = text ? Number(text) : NaN;
  return Number.isFinite(value) ? Math.min(high, Math.max(low, value)) : otherwise;
}

// Set values by name; null takes a name away.
function setInAddress(values) {
  // A page that stands inside another one has no address of its own.
  if (!["http:", "https:", "file:"].includes(location.protocol)) return;
  const address = new URL(location.href);
  for (const [name, value] of Object.entries(values)) {
    if (value === null) address.searchParams.delete(name);
    else address.searchParams.set(name, value);
  }
  history.replaceState(history.state, "", address);
}
