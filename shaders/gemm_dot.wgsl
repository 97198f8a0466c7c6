// work    2 * m * n * k
// shape   C[m, n] = A[m, k] x B[k, n], row-major bytes, A also as [k, m]; padded with zeros; C in 32-bit integers
// launch  (n / bn, m / bm) workgroups of wx x wy invocations
// needs   (bm + bn) * bk bytes of workgroup memory
// A packed dot product wants four values along k in one word. A has them so; of B, four rows by four columns are
// turned on their way into workgroup memory, once for every use in the tile; of a transposed A too. Where there are
// fewer words than invocations, the last ones have nothing to fill.
{% macro mac(c, a, b) -%}
{{ c }} += vec4<i32>(dot4I8Packed({{ a }}, {{ b }}.x), dot4I8Packed({{ a }}, {{ b }}.y), dot4I8Packed({{ a }}, {{ b }}.z), dot4I8Packed({{ a }}, {{ b }}.w));{% if counted %} ops += 32u;{% endif %}
{%- endmacro %}
{% macro turned(tile, matrix, stride, from, wide) %}
    for (var i = index; i < {{ bk // 4 * wide }}u; i += {{ wx * wy }}u) {
      let first = (p + i / {{ wide }}u * 4u) * extents.{{ stride }} + {{ from }} + i % {{ wide }}u;
      let rows = vec4<u32>({{ matrix }}[first], {{ matrix }}[first + extents.{{ stride }}], {{ matrix }}[first + 2u * extents.{{ stride }}], {{ matrix }}[first + 3u * extents.{{ stride }}]);
      {{ tile }}[i] = vec4<u32>(byte_column(rows, 0u), byte_column(rows, 8u), byte_column(rows, 16u), byte_column(rows, 24u));
    }
{% endmacro %}
struct Extents { k: u32, lda: u32, ldb: u32, ldc: u32, row: u32, column: u32 }
@group(0) @binding(0) var<uniform> extents: Extents;
@group(0) @binding(1) var<storage, read> left: array<u32>;
@group(0) @binding(2) var<storage, read> right: array<u32>;
@group(0) @binding(3) var<storage, read_write> product: array<vec4<i32>>;
{% if counted %}@group(0) @binding(4) var<storage, read_write> executed: atomic<u32>;{% endif %}
{% if transposed %}
var<workgroup> tile_a: array<vec4<u32>, {{ bk // 4 * bm // 4 }}>;
{% else %}
var<workgroup> tile_a: array<u32, {{ bm * bk // 4 }}>;
{% endif %}
var<workgroup> tile_b: array<vec4<u32>, {{ bk // 4 * bn // 4 }}>;
fn byte_column(r: vec4<u32>, shift: u32) -> u32 {
  let bytes = (r >> vec4<u32>(shift)) & vec4<u32>(255u);
  return bytes.x | (bytes.y << 8u) | (bytes.z << 16u) | (bytes.w << 24u);
}
@compute @workgroup_size({{ wx }}, {{ wy }})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>,
        @builtin(local_invocation_index) index: u32) {
  {% if counted %}var ops = 0u;{% endif %}
  let row = (group.y + extents.row) * {{ bm }}u;
  let column = (group.x + extents.column) * {{ bn // 4 }}u;
  {% for i in range(tm) %}{% for j in range(tn) %}
  var c{{ i }}_{{ j }} = vec4<i32>();
  {% endfor %}{% endfor %}
  for (var p = 0u; p < extents.k; p += {{ bk }}u) {
    {% if transposed %}
    {{ turned("tile_a", "left", "lda", "row / 4u", bm // 4) }}
    {% else %}
    for (var i = index; i < {{ bm * bk // 4 }}u; i += {{ wx * wy }}u) {
      tile_a[i] = left[(row + i / {{ bk // 4 }}u) * extents.lda + p / 4u + i % {{ bk // 4 }}u];
    }
    {% endif %}
    {{ turned("tile_b", "right", "ldb", "column", bn // 4) }}
    workgroupBarrier();
    for (var q = 0u; q < {{ bk // 4 }}u; q++) {
      {% if transposed %}
      {% for g in range(tm // 4) %}
      let a{{ g }} = tile_a[q * {{ bm // 4 }}u + local.y * {{ tm // 4 }}u + {{ g }}u];
      {% endfor %}
      {% else %}
      {% for i in range(tm) %}
      let a{{ i }} = tile_a[(local.y * {{ tm }}u + {{ i }}u) * {{ bk // 4 }}u + q];
      {% endfor %}
      {% endif %}
      {% for j in range(tn) %}
      let b{{ j }} = tile_b[q * {{ bn // 4 }}u + local.x + {{ j * wx }}u];
      {% for i in range(tm) %}
      {{ mac("c" ~ i ~ "_" ~ j, "a" ~ (i // 4) ~ "[" ~ (i % 4) ~ "]" if transposed else "a" ~ i, "b" ~ j) }}
      {% endfor %}
      {% endfor %}
    }
    workgroupBarrier();
  }
  {% for i in range(tm) %}{% for j in range(tn) %}
  product[(row + local.y * {{ tm }}u + {{ i }}u) * extents.ldc + column + local.x + {{ j * wx }}u] = c{{ i }}_{{ j }};
  {% endfor %}{% endfor %}
  {% if counted %}atomicAdd(&executed, ops);{% endif %}
}
