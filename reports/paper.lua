-- Makes of the Quarto syntax in this project's documents what word processors and typesetters know,
-- for every format but HTML: notes and tabs become text under their titles, figures sharp images,
-- columns as wide as what stands in them. After common.lua.

local A_LINE = 96 -- letters of a table's text across a page

local function is_there(path)
  local file = io.open(path, "rb")
  return file and file:close()
end

-- The caption bears the label; at the figure or table, Quarto would number it once more.
local function labelled(element)
  local words = pandoc.utils.blocks_to_inlines(element.caption.long)
  if #words > 0 and element.identifier ~= "" then
    element.caption.long = { pandoc.Plain(pandoc.Span(words, pandoc.Attr(element.identifier))) }
  end
  element.identifier, element.attributes = "", {}
  return element
end

local function image(element)
  local sharp = element.src:gsub("%.svg$", ".png")
  if is_there(sharp) then element.src = sharp end
  -- These formats take what stands inside an image for its alternative text.
  element.caption = pandoc.Inlines(element.attributes["fig-alt"] or element.caption)
  element.attributes["fig-alt"] = nil
  return element
end

-- Tables ------------------------------------------------------------------------------------------

local function rows_of(element)
  local rows = element.head.rows .. element.foot.rows
  for _, body in ipairs(element.bodies) do rows = rows .. body.head .. body.body end
  return rows
end

-- The letters of a cell, a symbol of mathematics counted as one; longer text is to wrap.
local function letters(cell)
  local text = pandoc.utils.stringify(cell.contents):gsub("\\%a+", "x"):gsub("[{}$_^\\]", "")
  return math.min(utf8.len(text) or #text, 66)
end

-- Word shares a page among columns that have no width; so each has one, from its longest cell. Gives
-- the style of the text, which is smaller where the table is wider than the page.
local function widths(element)
  local longest, all = {}, 0
  for _, row in ipairs(rows_of(element)) do
    for place, cell in ipairs(row.cells) do
      longest[place] = math.max(longest[place] or 0, letters(cell) + 3)
    end
  end
  for _, width in ipairs(longest) do all = all + width end
  local whole = math.max(all, A_LINE)
  for place, width in ipairs(longest) do
    element.colspecs[place] = { element.colspecs[place][1], width / whole }
  end
  return all > A_LINE and "Wide Table Text" or "Table Text"
end

local function table_(element)
  element = labelled(element)
  if FORMAT ~= "typst" then
    local style = pandoc.Attr("", {}, { ["custom-style"] = widths(element) })
    local caption = element.caption
    element = element:walk({
      Plain = function(cell) return pandoc.Div(pandoc.Para(cell.content), style) end,
    })
    element.caption = caption
    return element
  end
  -- Typst fits columns by itself; and Quarto leaves out captions of tables that it does not number.
  element.colspecs = element.colspecs:map(function(spec) return { spec[1], nil } end)
  local above = pandoc.Blocks({ pandoc.RawBlock("typst", "#block(sticky: true)[") })
  above:extend(element.caption.long)
  above:extend({ pandoc.RawBlock("typst", "]"), element })
  element.caption.long = {}
  return above
end

-- Equations, notes, tabs ----------------------------------------------------------------------------

local function span(element)
  local number = element.classes:includes("equation") and element.attributes.numbered
  if not number then return nil end
  local math = element.content[1]
  math.text = ("%s \\qquad (%s)"):format(math.text, number:match("%d+"))
  return pandoc.Span(math, pandoc.Attr(element.identifier))
end

local function div(element)
  if element.classes:includes("panel-tabset") then return element.content end
  local class = element.classes:find_if(function(class) return class:match("^callout%-%l+$") end)
  if not class then return nil end
  local kind = class:match("%l+$")
  local title = element.attributes.title or kind:sub(1, 1):upper() .. kind:sub(2)
  title = pandoc.utils.blocks_to_inlines(pandoc.read(title, "markdown").blocks)
  local blocks = pandoc.Blocks({ pandoc.Para(pandoc.Strong(title)) })
  blocks:extend(element.content)
  return blocks
end

function Pandoc(document)
  if FORMAT:match("^html") then return nil end
  if FORMAT == "typst" then -- it would number figures once more
    document.blocks:insert(1, pandoc.RawBlock("typst", "#set figure(numbering: none)"))
  end
  return document
    :walk({ Figure = labelled, Table = table_, Span = span, Div = div })
    :walk({ Image = image })
end
