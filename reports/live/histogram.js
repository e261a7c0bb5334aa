// A histogram that fills up to a normal curve.
class Histogram {
  // From `reach` below the centre to as much above it; `sd` is that of the normal, which four bins
  // share as long as they can be seen. The box has what it is of in its name, and the colour.
  constructor(box, { centre, sd, reach }) {
    const bins = Math.floor(reach / Math.max(sd / 4, reach / 50));
    Object.assign(this, { box, centre, sd, reach, bins, step: reach / bins });
    this.clear();
    drawnToFit(box, () => this.draw());
  }

  clear() {
    this.counts = new Array(2 * this.bins).fill(0);
    this.total = 0;
    this.last = [];
  }

  // Values from the centre; what lies beyond the last bin is counted there.
  add(values) {
    for (const value of values) {
      const place = Math.floor(value / this.step) + this.bins;
      this.counts[Math.min(this.counts.length - 1, Math.max(0, place))] += 1;
    }
    this.total += values.length;
    this.last = values;
  }

  draw() {
    const height = 190;
    const [top, foot, side] = [8, 26, 34];
    const label = `Histogram of ${this.total} ${this.box.dataset.name}, with a normal curve of mean `
      + `${significant(this.centre, 3)} and standard deviation ${significant(this.sd, 3)}`;
    const { picture, width } = emptyPicture(this.box, height, label);
    const { reach } = this;
    const x = (value) => side + ((value - this.centre + reach) / (2 * reach)) * (width - side - 6);
    const density = (value) => Math.exp(-0.5 * ((value - this.centre) / this.sd) ** 2)
      / (this.sd * Math.sqrt(2 * Math.PI));
    const area = this.total * this.step;
    const peak = this.sd > 0 ? area * density(this.centre) : 0;
    const most = Math.max(4, 1.08 * Math.max(peak, ...this.counts));
    const y = (count) => top + (1 - count / most) * (height - top - foot);

    for (const count of ticks(0, most, 4).at.filter(Number.isInteger)) {
      picture.append(
        svgElement("path", { class: "live-grid", d: `M${side} ${y(count)}H${width - 6}` }),
        svgElement("text", { x: side - 5, y: y(count) + 4, "text-anchor": "end" }, count),
      );
    }
    const across = ticks(this.centre - reach, this.centre + reach, width / 70);
    for (const value of across.at.filter((each) => x(each) < width - 14)) {
      picture.append(svgElement(
        "text", { x: x(value), y: height - 8, "text-anchor": "middle" }, across.text(value),
      ));
    }
    this.counts.forEach((count, place) => {
      const left = x(this.centre + (place - this.bins) * this.step);
      const right = x(this.centre + (place + 1 - this.bins) * this.step);
      const size = { x: left, width: right - left - Math.min(1, (right - left) / 8), y: y(count), height: y(0) - y(count) };
      picture.append(svgElement("rect", { class: "live-bar", ...size }));
    });
    let curve = `M${x(this.centre)} ${y(most)}V${y(0)}`; // without spread, all at one place
    if (this.sd > 0) {
      const far = Math.min(reach, 4.5 * this.sd);
      curve = Array.from({ length: 121 }, (_, k) => this.centre + far * (k / 60 - 1))
        .map((value) => `${x(value).toFixed(1)} ${y(area * density(value)).toFixed(1)}`);
      curve = `M${curve.join("L")}`;
    }
    picture.append(
      svgElement("path", { class: "live-curve", d: curve }),
      svgElement("path", { class: "live-axis", d: `M${side} ${y(0)}H${width - 6}` }),
    );
    for (const value of this.last) {
      const at = x(this.centre + Math.min(reach, Math.max(-reach, value)));
      picture.append(svgElement("path", { class: "live-last", d: `M${at} ${y(0)}v-12` }));
    }
  }
}
