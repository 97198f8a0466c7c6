// work    2 * m * n * k
// shape   C[m, n] = A[m, k] x B[k, n], row-major, A also as [k, m]; padded with zeros to whole tiles
// launch  (n / bn, m / bm) workgroups of wx x wy invocations
// needs   fp16: SHADER_F16; fp64: SHADER_F64; (bm + bn) * bk elements of workgroup memory
// A tile of A and one of B go through workgroup memory, two barriers a step of bk. An invocation owns columns x and
// x + wx of four, so that neighbours read neighbouring vectors. The tiles are filled before they are read, which is
// why they need not be zeroed. A sum takes its four products of a step one after the other: where registers are few,
// it leaves them once a step and not four times.
{% macro mac(c, a, b) -%}
{{ c }} = fma({{ sum }}({{ a }}), {{ b }}, {{ c }});{% if counted %} ops += 8u;{% endif %}
{%- endmacro %}
{% macro element(i, r) -%}
{% if transposed %}a{{ r }}_{{ i // 4 }}[{{ i % 4 }}]{% else %}a{{ i }}[{{ r }}]{% endif %}
{%- endmacro %}
{% if "f16" in enables %}enable f16;{% endif %}
struct Extents { k: u32, lda: u32, ldb: u32, ldc: u32, row: u32, column: u32 }
@group(0) @binding(0) var<uniform> extents: Extents;
@group(0) @binding(1) var<storage, read> left: array<vec4<{{ operand }}>>;
@group(0) @binding(2) var<storage, read> right: array<vec4<{{ operand }}>>;
@group(0) @binding(3) var<storage, read_write> product: array<vec4<{{ result }}>>;
{% if counted %}@group(0) @binding(4) var<storage, read_write> executed: atomic<u32>;{% endif %}
var<workgroup> tile_a: array<vec4<{{ operand }}>, {{ bm * bk // 4 }}>;
var<workgroup> tile_b: array<vec4<{{ operand }}>, {{ bk * bn // 4 }}>;
@compute @workgroup_size({{ wx }}, {{ wy }})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>,
        @builtin(local_invocation_index) index: u32) {
  {% if counted %}var ops = 0u;{% endif %}
  let row = (group.y + extents.row) * {{ bm }}u;
  let column = (group.x + extents.column) * {{ bn // 4 }}u;
  {% for i in range(tm) %}{% for j in range(tn) %}
  var c{{ i }}_{{ j }} = {{ sum }}();
  {% endfor %}{% endfor %}
  for (var p = 0u; p < extents.k; p += {{ bk }}u) {
    {% for at in range(0, bm * bk // 4, wx * wy) %}
    {
      let i = index + {{ at }}u;
      {% if transposed %}
      tile_a[i] = left[(p + i / {{ bm // 4 }}u) * extents.lda + row / 4u + i % {{ bm // 4 }}u];
      {% else %}
      tile_a[i] = left[(row + i / {{ bk // 4 }}u) * extents.lda + p / 4u + i % {{ bk // 4 }}u];
      {% endif %}
    }
    {% endfor %}
    {% for at in range(0, bk * bn // 4, wx * wy) %}
    {
      let i = index + {{ at }}u;
      tile_b[i] = right[(p + i / {{ bn // 4 }}u) * extents.ldb + column + i % {{ bn // 4 }}u];
    }
    {% endfor %}
    workgroupBarrier();
    for (var q = 0u; q < {{ bk // 4 }}u; q++) {
      {% if transposed %}
      {% for r in range(4) %}{% for g in range(tm // 4) %}
      let a{{ r }}_{{ g }} = {{ sum }}(tile_a[(q * 4u + {{ r }}u) * {{ bm // 4 }}u + local.y * {{ tm // 4 }}u + {{ g }}u]);
      {% endfor %}{% endfor %}
      {% else %}
      {% for i in range(tm) %}
      let a{{ i }} = {{ sum }}(tile_a[(local.y * {{ tm }}u + {{ i }}u) * {{ bk // 4 }}u + q]);
      {% endfor %}
      {% endif %}
      {% for r in range(4) %}{% for j in range(tn) %}
      let b{{ r }}_{{ j }} = {{ sum }}(tile_b[(q * 4u + {{ r }}u) * {{ bn // 4 }}u + local.x + {{ j * wx }}u]);
      {% endfor %}{% endfor %}
      {% for i in range(tm) %}{% for j in range(tn) %}{% for r in range(4) %}
      {{ mac("c" ~ i ~ "_" ~ j, element(i, r), "b" ~ r ~ "_" ~ j) }}
      {% endfor %}{% endfor %}{% endfor %}
    }
    workgroupBarrier();
  }
  {% for i in range(tm) %}{% for j in range(tn) %}
  product[(row + local.y * {{ tm }}u + {{ i }}u) * extents.ldc + column + local.x + {{ j * wx }}u] = vec4<{{ result }}>(c{{ i }}_{{ j }});
  {% endfor %}{% endfor %}
  {% if counted %}atomicAdd(&executed, ops);{% endif %}
}
