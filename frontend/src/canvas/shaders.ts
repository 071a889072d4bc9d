// The shaders of webgl2.ts. World positions come in as attributes; everything measured in screen pixels (line width,
// dashes, feathered rims) is worked out after the camera, so that it does not change with the zoom.

const CAMERA = `
uniform vec2 u_camera;   // world point at the top left corner
uniform float u_zoom;    // device pixels per world pixel
uniform vec2 u_size;     // device pixels
uniform float u_ratio;   // device pixels per CSS pixel
vec2 screen(vec2 world) { return (world - u_camera) * u_zoom; }
vec4 clip(vec2 s) { return vec4(s.x / u_size.x * 2.0 - 1.0, 1.0 - s.y / u_size.y * 2.0, 0.0, 1.0); }
`;

const HEALTH = `
uniform vec3 u_health[5];
vec3 healthColor(float health) { return u_health[int(health + 0.5)]; }
`;

/** A strip along the curve, one instance per edge. */
export const EDGE_VERTEX = `#version 300 es
precision highp float;
layout(location = 0) in vec4 a_start;   // two control points
layout(location = 1) in vec4 a_end;
layout(location = 2) in vec4 a_style;   // width, health, opacity, dash
layout(location = 3) in float a_length; // world pixels
${CAMERA}${HEALTH}
uniform float u_segments;
out float v_across;
out float v_along;
flat out float v_half;
flat out float v_dash;
flat out vec4 v_color;
void main() {
  float t = float(gl_VertexID >> 1) / u_segments;
  float side = float(gl_VertexID & 1) * 2.0 - 1.0;
  vec2 p0 = screen(a_start.xy), p1 = screen(a_start.zw), p2 = screen(a_end.xy), p3 = screen(a_end.zw);
  float width = a_style.x * u_ratio;
  // The line ends inside its arrow, not at the arrow's tip.
  vec2 last = p3 - p2;
  vec2 direction = length(last) > 0.001 ? normalize(last) : vec2(1.0, 0.0);
  p3 -= direction * (6.0 * u_ratio + width * 1.5) * 0.7;
  float u = 1.0 - t;
  vec2 position = u * u * u * p0 + 3.0 * u * u * t * p1 + 3.0 * u * t * t * p2 + t * t * t * p3;
  vec2 tangent = 3.0 * u * u * (p1 - p0) + 6.0 * u * t * (p2 - p1) + 3.0 * t * t * (p3 - p2);
  tangent = length(tangent) > 0.001 ? normalize(tangent) : direction;
  v_half = width * 0.5;
  v_across = side * (v_half + 1.0);
  v_along = t * a_length * u_zoom / u_ratio;
  v_dash = a_style.w;
  v_color = vec4(healthColor(a_style.y), a_style.z);
  gl_Position = clip(position + vec2(-tangent.y, tangent.x) * v_across);
  if (a_style.z == 0.0) { gl_Position = vec4(2.0, 2.0, 2.0, 1.0); }
}`;

export const EDGE_FRAGMENT = `#version 300 es
precision highp float;
in float v_across;
in float v_along;
flat in float v_half;
flat in float v_dash;
flat in vec4 v_color;
out vec4 color;
void main() {
  float alpha = v_color.a * clamp(v_half + 0.5 - abs(v_across), 0.0, 1.0);
  if (v_dash > 0.5) {
    vec2 dash = v_dash < 1.5 ? vec2(8.0, 13.0) : vec2(3.0, 8.0);
    float at = mod(v_along, dash.y);
    alpha *= clamp(dash.x - at + 0.5, 0.0, 1.0);
  }
  color = vec4(v_color.rgb * alpha, alpha);
}`;

/** One triangle at the end of each edge. */
export const ARROW_VERTEX = `#version 300 es
precision highp float;
layout(location = 0) in vec4 a_start;
layout(location = 1) in vec4 a_end;
layout(location = 2) in vec4 a_style;
${CAMERA}${HEALTH}
out vec2 v_at;
flat out float v_size;
flat out vec4 v_color;
void main() {
  vec2 p2 = screen(a_end.xy), p3 = screen(a_end.zw);
  vec2 last = p3 - p2;
  vec2 direction = length(last) > 0.001 ? normalize(last) : vec2(1.0, 0.0);
  v_size = 6.0 * u_ratio + a_style.x * u_ratio * 1.5;
  vec2 corner = vec2(float(gl_VertexID >> 1), float(gl_VertexID & 1) * 2.0 - 1.0);
  v_at = vec2(corner.x * (v_size + 2.0) - 1.0, corner.y * (v_size * 0.5 + 1.0));
  vec2 normal = vec2(-direction.y, direction.x);
  v_color = vec4(healthColor(a_style.y), a_style.z);
  gl_Position = clip(p3 - direction * v_at.x + normal * v_at.y);
  if (a_style.z == 0.0) { gl_Position = vec4(2.0, 2.0, 2.0, 1.0); }
}`;

export const ARROW_FRAGMENT = `#version 300 es
precision highp float;
in vec2 v_at;
flat in float v_size;
flat in vec4 v_color;
out vec4 color;
void main() {
  float back = v_size - v_at.x;
  float flank = v_at.x * 0.447 - abs(v_at.y) * 0.894;
  float alpha = v_color.a * clamp(min(back, flank) + 0.5, 0.0, 1.0);
  color = vec4(v_color.rgb * alpha, alpha);
}`;

/** Boxes and far nodes: a quad with a signed distance, one instance each. */
export const SHAPE_VERTEX = `#version 300 es
precision highp float;
layout(location = 0) in vec4 a_rect;   // world x, y, width, height
layout(location = 1) in vec4 a_shape;  // kind (0 box, else 1 + health), opacity, screen radius, 1 if stale
${CAMERA}
out vec2 v_at;
flat out vec2 v_extent;
flat out vec4 v_shape;
void main() {
  vec2 middle = screen(a_rect.xy + a_rect.zw * 0.5);
  v_extent = a_shape.x < 0.5 ? a_rect.zw * 0.5 * u_zoom : vec2(a_shape.z * u_ratio * 1.3);
  vec2 corner = vec2(float(gl_VertexID >> 1), float(gl_VertexID & 1)) * 2.0 - 1.0;
  v_at = corner * (v_extent + 2.0);
  v_shape = a_shape;
  gl_Position = clip(middle + v_at);
  if (a_shape.y == 0.0) { gl_Position = vec4(2.0, 2.0, 2.0, 1.0); }
}`;

export const SHAPE_FRAGMENT = `#version 300 es
precision highp float;
in vec2 v_at;
flat in vec2 v_extent;
flat in vec4 v_shape;
uniform float u_zoom;
uniform float u_ratio;
uniform vec3 u_box_fill;
uniform vec3 u_box_line;
uniform vec4 u_outline;
uniform vec3 u_health[5];
out vec4 color;
float roundBox(vec2 p, vec2 half_size, float r) {
  vec2 q = abs(p) - half_size + r;
  return length(max(q, 0.0)) + min(max(q.x, q.y), 0.0) - r;
}
float triangle(vec2 p, float r) {
  return max(p.y - r * 0.85, dot(vec2(abs(p.x), p.y + r * 1.1), vec2(0.871, -0.491)));
}
float diamond(vec2 p, float r) { return (abs(p.x) + abs(p.y) - r * 1.25) * 0.707; }
void over(inout vec4 under, vec3 rgb, float alpha) { under = vec4(rgb * alpha, alpha) + under * (1.0 - alpha); }
void main() {
  color = vec4(0.0);
  if (v_shape.x < 0.5) {
    float d = roundBox(v_at, v_extent, min(10.0 * u_zoom, min(v_extent.x, v_extent.y)));
    over(color, u_box_fill, clamp(0.5 - d, 0.0, 1.0));
    over(color, u_box_line, clamp(0.5 * u_ratio + 0.5 - abs(d), 0.0, 1.0));
    return;
  }
  float r = v_shape.z * u_ratio;
  int health = int(v_shape.x + 0.5) - 1;
  float d = health == 3 ? triangle(v_at, r) : health == 4 ? diamond(v_at, r) : length(v_at) - r;
  vec3 rgb = u_health[health];
  rgb = mix(rgb, vec3(dot(rgb, vec3(0.299, 0.587, 0.114))), 0.75 * v_shape.w);
  if (health <= 1) {
    over(color, rgb, clamp(0.8 * u_ratio + 0.5 - abs(d), 0.0, 1.0) * v_shape.y);
  } else {
    over(color, rgb, clamp(0.5 - d, 0.0, 1.0) * v_shape.y);
    over(color, u_outline.rgb, clamp(0.5 * u_ratio + 0.5 - abs(d), 0.0, 1.0) * v_shape.y * u_outline.a);
  }
}`;
