// The renderer on WebGL2: about seven draw calls whatever the size, edges as instanced strips with feathered rims instead
// of multisampling, and nothing computed per edge while the camera moves.
import type { Camera, Level } from './camera';
import { levelOf } from './camera';
import { lengthOf } from './curve';
import { pickAt } from './hit';
import type { GraphRenderer } from './renderer';
import { glyphRadius } from './renderer';
import type { Focus, Metrics, Palette, Rgb, Topology, Viewport } from './scene';
import { DIMMED, EMPTY_METRICS, EMPTY_TOPOLOGY, HIDDEN, NO_FOCUS } from './scene';
import {
  ARROW_FRAGMENT,
  ARROW_VERTEX,
  EDGE_FRAGMENT,
  EDGE_VERTEX,
  SHAPE_FRAGMENT,
  SHAPE_VERTEX,
} from './shaders';
import { edgeStyles } from './style';

const SEGMENTS = 24;

/** Null where the context or a shader cannot be had: the caller then takes canvas2d. */
export function webgl2Renderer(canvas: HTMLCanvasElement): GraphRenderer | null {
  const gl = canvas.getContext('webgl2', {
    antialias: false,
    alpha: true,
    premultipliedAlpha: true,
    depth: false,
    stencil: false,
    powerPreference: 'low-power',
  });
  if (gl === null) {
    return null;
  }
  const edges = program(gl, EDGE_VERTEX, EDGE_FRAGMENT);
  const arrows = program(gl, ARROW_VERTEX, ARROW_FRAGMENT);
  const shapes = program(gl, SHAPE_VERTEX, SHAPE_FRAGMENT);
  if (edges === null || arrows === null || shapes === null) {
    return null;
  }
  return new WebglRenderer(gl, { edges, arrows, shapes });
}

interface Programs {
  readonly edges: WebGLProgram;
  readonly arrows: WebGLProgram;
  readonly shapes: WebGLProgram;
}

class WebglRenderer implements GraphRenderer {
  readonly kind = 'webgl2';

  private readonly gl: WebGL2RenderingContext;
  private readonly programs: Programs;
  private readonly curves: WebGLBuffer | null;
  private readonly lengths: WebGLBuffer | null;
  private readonly styles: WebGLBuffer | null;
  private readonly rects: WebGLBuffer | null;
  private readonly kinds: WebGLBuffer | null;
  private readonly edgeArray: WebGLVertexArrayObject | null;
  private readonly shapeArray: WebGLVertexArrayObject | null;

  private topology: Topology = EMPTY_TOPOLOGY;
  private metrics: Metrics = EMPTY_METRICS;
  private focus: Focus = NO_FOCUS;
  private palette: Palette | null = null;
  private camera: Camera = { x: 0, y: 0, zoom: 1 };
  private viewport: Viewport = { width: 1, height: 1, ratio: 1 };
  private level: Level = 'cards';
  private stylesDirty = true;
  private n_shapes = 0;

  constructor(gl: WebGL2RenderingContext, programs: Programs) {
    this.gl = gl;
    this.programs = programs;
    this.curves = gl.createBuffer();
    this.lengths = gl.createBuffer();
    this.styles = gl.createBuffer();
    this.rects = gl.createBuffer();
    this.kinds = gl.createBuffer();
    this.edgeArray = gl.createVertexArray();
    this.shapeArray = gl.createVertexArray();
    gl.bindVertexArray(this.edgeArray);
    attribute(gl, this.curves, 0, 4, 32, 0);
    attribute(gl, this.curves, 1, 4, 32, 16);
    attribute(gl, this.styles, 2, 4, 16, 0);
    attribute(gl, this.lengths, 3, 1, 4, 0);
    gl.bindVertexArray(this.shapeArray);
    attribute(gl, this.rects, 0, 4, 16, 0);
    attribute(gl, this.kinds, 1, 4, 16, 0);
    gl.bindVertexArray(null);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  setTopology(topology: Topology): void {
    this.topology = topology;
    const n_edges = topology.edgeEnds.length / 2;
    const lengths = new Float32Array(n_edges);
    for (let i = 0; i < n_edges; i += 1) {
      lengths[i] = lengthOf(topology.edgeCurves, i);
    }
    // A node is two shapes from afar: the plate at which its edges end, and the glyph on it.
    const { clusterRects, boxRects, nodeRects } = topology;
    const n_plates = clusterRects.length + boxRects.length;
    const rects = new Float32Array(n_plates + nodeRects.length * 2);
    rects.set(clusterRects);
    rects.set(boxRects, clusterRects.length);
    rects.set(nodeRects, n_plates);
    rects.set(nodeRects, n_plates + nodeRects.length);
    this.upload(this.curves, topology.edgeCurves);
    this.upload(this.lengths, lengths);
    this.upload(this.rects, rects);
    this.stylesDirty = true;
  }

  setMetrics(metrics: Metrics): void {
    this.metrics = metrics;
    this.stylesDirty = true;
  }

  setFocus(focus: Focus): void {
    this.focus = focus;
    this.stylesDirty = true;
  }

  setPalette(palette: Palette): void {
    this.palette = palette;
  }

  setView(camera: Camera, viewport: Viewport): void {
    const level = levelOf(camera.zoom);
    this.stylesDirty ||= level !== this.level || (level === 'glyphs' && camera.zoom !== this.camera.zoom);
    this.level = level;
    this.camera = camera;
    if (viewport !== this.viewport) {
      this.viewport = viewport;
      const canvas = this.gl.canvas;
      canvas.width = Math.max(1, Math.round(viewport.width * viewport.ratio));
      canvas.height = Math.max(1, Math.round(viewport.height * viewport.ratio));
    }
  }

  draw(): void {
    const { gl, palette } = this;
    if (palette === null || gl.isContextLost()) {
      return;
    }
    if (this.stylesDirty) {
      this.uploadStyles();
    }
    gl.viewport(0, 0, gl.drawingBufferWidth, gl.drawingBufferHeight);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    const n_clusters = this.topology.clusterRects.length / 4;
    const n_plates = n_clusters + this.topology.boxRects.length / 4;
    const n_edges = this.topology.edgeEnds.length / 2;
    this.drawShapes(palette, 0, n_clusters, palette.clusterFill, palette.clusterLine);
    this.drawShapes(palette, n_clusters, n_plates - n_clusters);
    gl.bindVertexArray(this.edgeArray);
    this.use(this.programs.edges, palette);
    gl.uniform1f(gl.getUniformLocation(this.programs.edges, 'u_segments'), SEGMENTS);
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, (SEGMENTS + 1) * 2, n_edges);
    this.use(this.programs.arrows, palette);
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, n_edges);
    if (this.level === 'glyphs') {
      this.drawShapes(palette, n_plates, this.n_shapes - n_plates);
    }
    gl.bindVertexArray(null);
  }

  pick(x: number, y: number): ReturnType<GraphRenderer['pick']> {
    return pickAt(this.topology, this.metrics, this.camera, x, y);
  }

  destroy(): void {
    const { gl } = this;
    for (const buffer of [this.curves, this.lengths, this.styles, this.rects, this.kinds]) {
      gl.deleteBuffer(buffer);
    }
    for (const linked of [this.programs.edges, this.programs.arrows, this.programs.shapes]) {
      gl.deleteProgram(linked);
    }
    gl.deleteVertexArray(this.edgeArray);
    gl.deleteVertexArray(this.shapeArray);
  }

  private drawShapes(
    palette: Palette,
    first: number,
    count: number,
    fill: Rgb = palette.boxFill,
    line: Rgb = palette.boxLine,
  ): void {
    const { gl } = this;
    if (count <= 0) {
      return;
    }
    gl.bindVertexArray(this.shapeArray);
    // Instanced drawing has no first instance in WebGL2: the pointers are moved instead.
    attribute(gl, this.rects, 0, 4, 16, first * 16);
    attribute(gl, this.kinds, 1, 4, 16, first * 16);
    const shapes = this.programs.shapes;
    this.use(shapes, palette);
    gl.uniform3fv(gl.getUniformLocation(shapes, 'u_box_fill'), fill);
    gl.uniform3fv(gl.getUniformLocation(shapes, 'u_box_line'), line);
    const outline = palette.outline;
    gl.uniform4f(
      gl.getUniformLocation(shapes, 'u_outline'),
      outline?.[0] ?? 0,
      outline?.[1] ?? 0,
      outline?.[2] ?? 0,
      outline === null ? 0 : 1,
    );
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, count);
  }

  private use(used: WebGLProgram, palette: Palette): void {
    const { gl, camera, viewport } = this;
    gl.useProgram(used);
    gl.uniform2f(gl.getUniformLocation(used, 'u_camera'), camera.x, camera.y);
    gl.uniform1f(gl.getUniformLocation(used, 'u_zoom'), camera.zoom * viewport.ratio);
    gl.uniform2f(gl.getUniformLocation(used, 'u_size'), gl.drawingBufferWidth, gl.drawingBufferHeight);
    gl.uniform1f(gl.getUniformLocation(used, 'u_ratio'), viewport.ratio);
    gl.uniform3fv(gl.getUniformLocation(used, 'u_health'), palette.health.flat());
  }

  private uploadStyles(): void {
    const { topology, metrics } = this;
    this.upload(this.styles, edgeStyles(topology, metrics, this.focus, this.level));
    const n_clusters = topology.clusterRects.length / 4;
    const n_plates = n_clusters + topology.boxRects.length / 4;
    const n_nodes = topology.nodeRects.length / 4;
    const radius = glyphRadius(this.camera.zoom);
    const kinds = new Float32Array((n_plates + n_nodes * 2) * 4);
    for (let i = 0; i < n_plates; i += 1) {
      const show = i < n_clusters ? metrics.clusterShow[i] : metrics.boxShow[i - n_clusters];
      kinds[i * 4 + 1] = show === HIDDEN ? 0 : 1;
    }
    for (let i = 0; i < n_nodes; i += 1) {
      const show = metrics.nodeShow[i] ?? HIDDEN;
      const opacity = show === HIDDEN ? 0 : show === DIMMED ? 0.25 : 1;
      kinds[(n_plates + i) * 4 + 1] = opacity;
      kinds.set(
        [1 + (metrics.nodeHealth[i] ?? 0), opacity, radius, metrics.nodeStale[i] ?? 0],
        (n_plates + n_nodes + i) * 4,
      );
    }
    this.upload(this.kinds, kinds);
    this.n_shapes = n_plates + n_nodes * 2;
    this.stylesDirty = false;
  }

  private upload(buffer: WebGLBuffer | null, data: Float32Array): void {
    this.gl.bindBuffer(this.gl.ARRAY_BUFFER, buffer);
    this.gl.bufferData(this.gl.ARRAY_BUFFER, data, this.gl.DYNAMIC_DRAW);
  }
}

function attribute(
  gl: WebGL2RenderingContext,
  buffer: WebGLBuffer | null,
  location: number,
  size: number,
  stride: number,
  offset: number,
): void {
  gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
  gl.enableVertexAttribArray(location);
  gl.vertexAttribPointer(location, size, gl.FLOAT, false, stride, offset);
  gl.vertexAttribDivisor(location, 1);
}

function program(gl: WebGL2RenderingContext, vertex: string, fragment: string): WebGLProgram | null {
  const linked = gl.createProgram();
  for (const [type, source] of [
    [gl.VERTEX_SHADER, vertex],
    [gl.FRAGMENT_SHADER, fragment],
  ] as const) {
    const shader = gl.createShader(type);
    if (shader === null) {
      return null;
    }
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(linked, shader);
    gl.deleteShader(shader);
  }
  gl.linkProgram(linked);
  return gl.getProgramParameter(linked, gl.LINK_STATUS) === true ? linked : null;
}
