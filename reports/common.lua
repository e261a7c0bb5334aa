-- What is the same in every format, whether Quarto or Pandoc alone renders a document:
--   ![caption](figures/x.svg){#fig-x}               a numbered figure
--   : caption {#tbl-x}    $$ … $$ {#eq-x}           numbered tables and equations
--   @fig-x   [@fig-x; -@tbl-x]                      references to them, which become links
--   ::: {.content-visible when-format="html"}       what other formats have no use for
--   ::: {.content-hidden when-format="html"}        what they have in its place
--   []{.renderer}                                   names the renderer
--   edited: true                                    in the metadata: the document says so
-- A number stands in the caption, and as "Figure 1" in the element's attribute `numbered`. Display
-- equations become spans of the class `equation`. On paper, that is in any format but HTML, and in
-- HTML where the metadata have `paper: true`, links that would lead nowhere are text.

local NAMES = { fig = "Figure", tbl = "Table", eq = "Equation" }
local NBSP = "\u{a0}"

local numbers = {} -- label -> number
local counts = { fig = 0, tbl = 0, eq = 0 }

-- Quarto goes on after a Lua error, and makes a page with the fault in it.
local function fail(message)
  io.stderr:write(message, "\n")
  os.exit(1)
end

-- Return "Figure 1" and the like, or nil when the element bears no label of that kind.
local function number(kind, label)
  if label:match("^(%a+)%-") ~= kind then return nil end
  if numbers[label] then fail(("#%s: the label is used twice; give each its own"):format(label)) end
  counts[kind] = counts[kind] + 1
  numbers[label] = counts[kind]
  return NAMES[kind] .. NBSP .. counts[kind]
end

-- The label that an inline is, such as {#tbl-means}, of the kind that is asked for.
local function label_in(inline, kind)
  return inline and inline.t == "Str" and inline.text:match("^{#(" .. kind .. "%-[%w_-]+)}$")
end

local function captioned(element, words, numbered)
  if numbered then
    element.attributes.numbered = numbered
    words = pandoc.Inlines({ numbered .. ":", pandoc.Space() }) .. words
  end
  element.caption.long = #words > 0 and { pandoc.Plain(words) } or {}
  return element
end

local function figure(element)
  local words = pandoc.utils.blocks_to_inlines(element.caption.long)
  return captioned(element, words, number("fig", element.identifier))
end

local function table_(element)
  local words = pandoc.utils.blocks_to_inlines(element.caption.long)
  local label = label_in(words[#words], "tbl")
  if label then
    element.identifier = label
    for _ = 1, math.min(#words, 2) do words:remove() end -- and the blank before it
  end
  return captioned(element, words, number("tbl", element.identifier))
end

-- A display equation becomes a span of class "equation", with its number if it has one.
local function equations(block)
  local inlines, result, at = block.content, pandoc.Inlines({}), 1
  while at <= #inlines do
    local inline, last = inlines[at], at
    if inline.t == "Math" and inline.mathtype == "DisplayMath" then
      local after = at + 1
      if inlines[after] and inlines[after].t == "Space" then after = after + 1 end
      local label = label_in(inlines[after], "eq")
      inline = pandoc.Span(inline, pandoc.Attr(label or "", { "equation" }))
      if label then
        inline.attributes.numbered, last = number("eq", label), after
      end
    end
    result:insert(inline)
    at = last + 1
  end
  block.content = result
  return block
end

local function reference(cite)
  local result = pandoc.Inlines({})
  for index, citation in ipairs(cite.citations) do
    local label = citation.id
    local name = NAMES[label:match("^(%a+)%-")]
    if not name and quarto then return nil end -- of what Quarto alone numbers, or a bibliography
    if not numbers[label] then
      fail(("unresolved cross-reference @%s; give a figure, table or equation that label, or "
        .. "correct the reference"):format(label))
    end
    if #citation.prefix > 0 then name = pandoc.utils.stringify(citation.prefix) end
    local text = citation.mode == "SuppressAuthor" and "" or name .. NBSP
    if index > 1 then result:extend({ ",", pandoc.Space() }) end
    result:insert(pandoc.Link(text .. numbers[label], "#" .. label, "", { class = "reference" }))
  end
  return result
end

-- What belongs to a number stays on its line: a percent sign, the "to" of a range, the sign that
-- compares it with what stands before, and the other of two degrees of freedom.
local COMPARING = { ["="] = true, ["<"] = true, [">"] = true, ["≤"] = true, ["≥"] = true }

local function starts_with_number(text) return (text:gsub("^−", "")):match("^[%d.]") end

local function kept_together(inlines)
  local function text(index)
    local inline = inlines[index]
    return inline and inline.t == "Str" and inline.text or ""
  end
  for index, inline in ipairs(inlines) do
    if inline.t == "Space" or inline.t == "SoftBreak" then
      local before, after = text(index - 1), text(index + 1)
      if after:match("^%%") and before:match("%d$")
        or (COMPARING[before] or before == "to") and starts_with_number(after)
        or COMPARING[after] and starts_with_number(text(index + 3))
        or before:match("%(%d[%d.]*,$") and after:match("^[%d.]+%)") then
        inlines[index] = pandoc.Str(NBSP)
      end
    end
  end
  return inlines
end

-- What stands only on pages, or only on paper.
local function conditional(div, on_paper)
  local visible = div.classes:includes("content-visible")
  if div.attributes["when-format"] ~= "html" then return nil end
  if not visible and not div.classes:includes("content-hidden") then return nil end
  return visible ~= on_paper and div.content or {}
end

-- Links to a place in the document, or on the web; others are files that paper has not beside it.
local function without_dead_links(document)
  local there = {}
  local function label(element) there["#" .. element.identifier] = true end
  document:walk({ Header = label, Figure = label, Table = label, Span = label, Div = label })
  return document:walk({
    Link = function(link)
      local on_the_web = link.target:match("^%a[%w+.-]+:")
      return not (there[link.target] or on_the_web) and link.content or nil
    end,
  })
end

function Pandoc(document)
  -- Rendered by hand, without the project's wrapper, the document still names the program.
  local renderer = document.meta.renderer or (quarto and "Quarto" or "Pandoc")
  if document.meta.edited then
    local words = "The text of this page was edited by hand after twolevel had written it."
    document.blocks:insert(pandoc.Div(pandoc.Para(words), { class = "provenance" }))
  end
  local on_paper = not FORMAT:match("^html") or document.meta.paper == true
  document = document
    :walk({ Div = function(div) return conditional(div, on_paper) end })
    :walk({ Figure = figure, Table = table_, Para = equations, Plain = equations })
    :walk({
      Cite = reference,
      Inlines = kept_together,
      Span = function(span)
        if not span.classes:includes("renderer") then return nil end
        span.content = pandoc.Inlines(pandoc.utils.stringify(renderer))
        return span
      end,
    })
  return on_paper and without_dead_links(document) or document
end
