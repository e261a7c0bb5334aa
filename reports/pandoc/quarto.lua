-- The part of Quarto's syntax that this project's documents use, for Pandoc alone: numbered
-- figures, tables, equations and sections, references to them, callouts and tabsets.

local NAMES = { fig = "Figure", tbl = "Table", eq = "Equation", sec = "Section" }
local CALLOUTS = {
  note = "Note", tip = "Tip", important = "Important", warning = "Warning", caution = "Caution",
}
local NBSP = "\u{a0}"

local numbers = {} -- label -> number, as text
local counts = { fig = 0, tbl = 0, eq = 0 }
local tabsets = 0

local function kind_of(label)
  local kind = label:match("^(%a+)%-")
  return NAMES[kind] and kind
end

local function register(label, number)
  if numbers[label] then
    error(("#%s: the label is used twice; give each its own"):format(label), 0)
  end
  numbers[label] = number
end

-- Return "Figure 1" and the like, or nil when the element bears no label of that kind.
local function number(kind, label)
  if kind_of(label) ~= kind then return nil end
  counts[kind] = counts[kind] + 1
  register(label, tostring(counts[kind]))
  return NAMES[kind] .. NBSP .. counts[kind]
end

local function html(text) return pandoc.RawBlock("html", text) end

-- Callouts ------------------------------------------------------------------------------------

local function callout(div)
  local kind = div.classes:find_if(function(class) return class:match("^callout%-") end)
  kind = kind and kind:match("^callout%-(.+)")
  if not CALLOUTS[kind] then return nil end
  local title = pandoc.utils.blocks_to_inlines(
    pandoc.read(div.attributes.title or CALLOUTS[kind], "markdown").blocks)
  local body = pandoc.Div(div.content, pandoc.Attr("", { "callout-body" }))
  local class = "callout callout-" .. kind
  if div.attributes.collapse then
    local open = div.attributes.collapse == "false" and " open" or ""
    local id = div.identifier ~= "" and (' id="%s"'):format(div.identifier) or ""
    return {
      html(('<details%s class="%s"%s><summary class="callout-title">'):format(id, class, open)),
      pandoc.Plain(title), html("</summary>"), body, html("</details>"),
    }
  end
  local heading = pandoc.Div(pandoc.Plain(title), pandoc.Attr("", { "callout-title" }))
  return pandoc.Div({ heading, body },
    pandoc.Attr(div.identifier, { "callout", "callout-" .. kind }, { role = "note" }))
end

-- Tabsets: plain titled sections, which the template's script turns into tabs --------------------

local function tabset(div)
  if not div.classes:includes("panel-tabset") then return nil end
  tabsets = tabsets + 1
  local level, panels = nil, pandoc.List()
  for _, block in ipairs(div.content) do
    if block.t == "Header" and (level == nil or block.level == level) then
      level = block.level
      -- Not a heading any more: a tab has no place in the table of contents.
      local title = pandoc.Div(pandoc.Plain(block.content), pandoc.Attr("", { "tab-title" }))
      local id = ("tabset-%d-%d"):format(tabsets, #panels + 1)
      panels:insert(pandoc.Div({ title }, pandoc.Attr(id, { "tab-panel" })))
    elseif level == nil then
      error(".panel-tabset: content before the first heading; start each tab with a heading", 0)
    else
      panels[#panels].content:insert(block)
    end
  end
  return pandoc.Div(panels, pandoc.Attr(div.identifier, { "tabset" }))
end

-- Headings --------------------------------------------------------------------------------------

local function number_headings(document)
  local top = 6
  document:walk({ Header = function(header) top = math.min(top, header.level) end })
  local shown = document.meta["number-sections"] == true
  local section = { 0, 0, 0, 0, 0, 0 }
  return document:walk({
    Header = function(header)
      if header.classes:includes("unnumbered") then return nil end
      local depth = header.level - top + 1
      section[depth] = section[depth] + 1
      for deeper = depth + 1, 6 do section[deeper] = 0 end
      local text = table.concat(section, ".", 1, depth)
      if kind_of(header.identifier) == "sec" then register(header.identifier, text) end
      if shown then
        header.content:insert(1, pandoc.Span(text, pandoc.Attr("", { "header-section-number" })))
        header.content:insert(2, pandoc.Space())
      end
      return header
    end,
  })
end

-- Figures, tables, equations ----------------------------------------------------------------------

local function caption_of(blocks, numbered)
  local inlines = pandoc.utils.blocks_to_inlines(blocks)
  if numbered then inlines = pandoc.Inlines({ pandoc.Str(numbered .. ":"), pandoc.Space() }) .. inlines end
  return inlines
end

-- What may be wider than a phone scrolls in a container of its own, which the keyboard can reach.
local function scrolling(block, class, label)
  return pandoc.Div(block, pandoc.Attr("", { class },
    { { "tabindex", "0" }, { "role", "region" }, { "aria-label", label } }))
end

local function figure(element)
  local numbered = number("fig", element.identifier)
  element = element:walk({
    Image = function(image)
      image.attributes.alt = image.attributes["fig-alt"] or pandoc.utils.stringify(image.caption)
      image.attributes["fig-alt"] = nil
      return image
    end,
  })
  element.caption.long = { pandoc.Plain(caption_of(element.caption.long, numbered)) }
  element.content = { scrolling(element.content, "figure-scroll", numbered or "Figure") }
  return element
end

local function table_(element)
  local numbered = number("tbl", element.identifier)
  local caption = caption_of(element.caption.long, numbered)
  local id = element.identifier ~= "" and (' id="%s"'):format(element.identifier) or ""
  element.identifier = ""
  element.caption.long = {}
  local blocks = pandoc.Blocks({ html(('<figure%s class="table">'):format(id)) })
  if #caption > 0 then
    blocks:extend({ html("<figcaption>"), pandoc.Plain(caption), html("</figcaption>") })
  end
  blocks:extend({ scrolling(element, "table-scroll", numbered or "Table"), html("</figure>") })
  return blocks
end

local function equation(math, numbered)
  return pandoc.Span(math, pandoc.Attr("", { "equation-scroll" },
    { { "tabindex", "0" }, { "role", "group" }, { "aria-label", numbered or "Equation" } }))
end

local function equations(block)
  local inlines, result, at = block.content, pandoc.Inlines({}), 1
  while at <= #inlines do
    local inline, last = inlines[at], at
    if inline.t == "Math" and inline.mathtype == "DisplayMath" then
      local after = at + 1
      if inlines[after] and inlines[after].t == "Space" then after = after + 1 end
      local label = inlines[after] and inlines[after].t == "Str"
        and inlines[after].text:match("^{#(eq%-[%w_-]+)}$")
      if label then
        local numbered = number("eq", label)
        local shown = pandoc.Span(("(%s)"):format(numbers[label]),
          pandoc.Attr("", { "equation-number" }))
        inline = pandoc.Span({ equation(inline, numbered), shown },
          pandoc.Attr(label, { "equation" }))
        last = after
      else
        inline = equation(inline)
      end
    end
    result:insert(inline)
    at = last + 1
  end
  block.content = result
  return block
end

-- References --------------------------------------------------------------------------------------

local function references(document)
  local unresolved = pandoc.List()
  local function reference(cite)
    local result = pandoc.Inlines({})
    for index, citation in ipairs(cite.citations) do
      local kind = kind_of(citation.id)
      if not kind then return nil end
      if not numbers[citation.id] then
        unresolved:insert("@" .. citation.id)
      else
        local text = numbers[citation.id]
        if #citation.prefix > 0 then
          text = pandoc.utils.stringify(citation.prefix) .. NBSP .. text
        elseif citation.mode ~= "SuppressAuthor" then
          text = NAMES[kind] .. NBSP .. text
        end
        if index > 1 then result:extend({ pandoc.Str(","), pandoc.Space() }) end
        result:insert(pandoc.Link(text, "#" .. citation.id, "", pandoc.Attr("", { "quarto-xref" })))
      end
    end
    return result
  end
  document = document:walk({ Cite = reference })
  if #unresolved > 0 then
    error(("unresolved cross-reference %s; give a figure, table, equation or section that label, "
      .. "or correct the reference"):format(table.concat(unresolved, ", ")), 0)
  end
  return document
end

function Pandoc(document)
  document = document:walk({ Div = function(div) return callout(div) or tabset(div) end })
  document = number_headings(document)
  document = document:walk({ Figure = figure, Table = table_, Para = equations, Plain = equations })
  return references(document)
end
