-- Lets displayed equations break where a phone has no room for them: at a wide blank, and, where
-- that is not enough, before a relation or a sum outside all brackets. A piece is mathematics of
-- its own, which stands in a line with the others while there is room.

local function set(words)
  local found = {}
  for word in words:gmatch("%S+") do found[word] = true end
  return found
end

local SIGNS, BLANKS = set([[= + - \sim \approx \rightarrow]]), set([[\quad \qquad]])
local OPEN, CLOSE = set([=[{ ( [ \begin \left]=]), set([=[} ) ] \end \right]=])
local SCRIPTS, BRACKETED = set("_ ^"), set([[\left \right]])

-- Commands, those of brackets with their bracket, and all else byte by byte.
local function tokens(tex)
  local at = 1
  return function()
    local command = tex:match("^\\%a+", at)
    local token = command or tex:match("^\\.", at) or tex:sub(at, at)
    if BRACKETED[token] then token = token .. tex:match("^%s*\\?.?", at + #token) end
    at = at + #token
    if token ~= "" then return token, command or token end
  end
end

-- The parts of an equation between its wide blanks, each a list of pieces.
local function parts(tex)
  local found, piece, depth, after_operand, script = { {} }, "", 0, false, false
  local function finish(next)
    if piece:match("%S") then table.insert(found[#found], piece) end
    piece, after_operand = next, false
  end
  for token, what in tokens(tex) do
    if depth == 0 and BLANKS[what] then
      finish("")
      if #found[#found] > 0 then found[#found + 1] = {} end
    else
      -- Behind an empty group, a sign stays one between two things.
      if depth == 0 and SIGNS[what] and after_operand then finish("{}") end
      if OPEN[what] then depth = depth + 1 elseif CLOSE[what] then depth = depth - 1 end
      if what:match("%S") then
        after_operand = script or not (SIGNS[what] or SCRIPTS[what])
        script = SCRIPTS[what]
      end
      piece = piece .. token
    end
  end
  finish("")
  return found
end

function Math(math)
  if not FORMAT:match("^html") or math.mathtype ~= "DisplayMath" then return nil end
  local inlines = pandoc.Inlines({})
  for _, pieces in ipairs(parts(math.text)) do
    local inside = pandoc.Inlines({})
    for _, piece in ipairs(pieces) do inside:insert(pandoc.Math("InlineMath", piece)) end
    inlines:insert(pandoc.Span(inside, pandoc.Attr("", { "part" })))
  end
  return inlines
end
